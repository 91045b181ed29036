// Fuzz target of the launcher (libFuzzer). System calls are replaced by functions that read from the fuzzer's input, return short
// counts and errors, and keep what the launcher sends, prints and hands to the full plugin. fuzz.ts compiles and runs it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { AGENT = 1000, MEMORY = 1001, MAX_ALLOCATIONS = 256, MAX_VARIABLES = 32 };
enum ending { EXITED, EXECUTED };

/// Bits of the first byte of an input.
enum { CONNECTS = 1, IS_IPAM = 2, IS_SHORT = 4, IS_INTERRUPTED = 8, NO_GLIBC = 16, LONG_PATH = 32, FAILS_SENDING = 64, FAILS_READING = 128 };

struct stream {
  const uint8_t *bytes;
  size_t length, at;
};
struct output {
  uint8_t *bytes;
  size_t length;
};
static struct {
  unsigned flags, calls;
  struct stream input, response;
  struct output sent, printed, memory;
  void *allocations[MAX_ALLOCATIONS];
  size_t count;
  int status;
} fake;
static jmp_buf end;

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "violated: %s\n", what);
  abort();
}

static void *fake_realloc(void *old, size_t size) {
  size_t slot = 0;
  while (slot < fake.count && fake.allocations[slot] != old) slot++;
  if (old == NULL || slot == fake.count) {
    check(old == NULL, "realloc of its own memory");
    check(fake.count < MAX_ALLOCATIONS, "few allocations");
    slot = fake.count++;
  }
  return fake.allocations[slot] = realloc(old, size);
}

static void *fake_calloc(size_t count, size_t size) {
  void *bytes = fake_realloc(NULL, count * size);
  memset(bytes, 0, count * size);
  return bytes;
}

static void fake_free(void *bytes) { (void)bytes; }

/// Returns the bytes that a call transfers, or 0 with errno EINTR.
static size_t transfer(size_t wanted) {
  fake.calls++;
  if ((fake.flags & IS_INTERRUPTED) != 0 && fake.calls % 3 == 0) return errno = EINTR, 0;
  return (fake.flags & IS_SHORT) != 0 && wanted > 1 ? wanted / 2 : wanted;
}

static ssize_t fake_read(int fd, void *to, size_t size) {
  struct stream *from = fd == 0 ? &fake.input : &fake.response;
  check(fd == 0 || fd == AGENT, "reads stdin and the agent");
  size_t left = from->length - from->at;
  if (left == 0 && (fake.flags & FAILS_READING) != 0) return errno = EAGAIN, -1;
  if (left == 0) return 0;
  size_t count = transfer(left < size ? left : size);
  if (count == 0) return -1;
  memcpy(to, from->bytes + from->at, count);
  from->at += count;
  return (ssize_t)count;
}

static ssize_t fake_write(int fd, const void *bytes, size_t size) {
  check(fd == 1 || fd == MEMORY || fd == AGENT, "writes to stdout, the memory file and the agent");
  if (fd == AGENT && (fake.flags & FAILS_SENDING) != 0) return errno = EPIPE, -1;
  size_t count = transfer(size);
  if (count == 0) return -1;
  struct output *to = fd == 1 ? &fake.printed : fd == AGENT ? &fake.sent : &fake.memory;
  to->bytes = realloc(to->bytes, to->length + count);
  memcpy(to->bytes + to->length, bytes, count);
  to->length += count;
  return (ssize_t)count;
}

static ssize_t fake_send(int fd, const void *bytes, size_t size, int flags) {
  // stdout may be a pipe, where send fails: the launcher passes is_socket as true for it
  check(flags == MSG_NOSIGNAL, "sends without SIGPIPE");
  return fake_write(fd, bytes, size);
}

static ssize_t fake_readlink(const char *path, char *to, size_t size) {
  check(strcmp(path, "/proc/self/exe") == 0, "reads its own path");
  size_t length = (fake.flags & LONG_PATH) != 0 ? size - fake.calls % 3 : 20;
  memset(to, 'a', length);
  to[0] = to[length / 2] = '/';
  return (ssize_t)length;
}

static int fake_stat(const char *path, struct stat *to) {
  memset(to, 0xff, sizeof *to);
  return strlen(path) % 2 == 0 || (fake.flags & NO_GLIBC) != 0 ? 0 : (errno = ENOENT, -1);
}

static int fake_execve(const char *path, char *const argv[], char *const variables[]) {
  size_t total = strlen(path);
  for (size_t index = 0; argv[index] != NULL; index++) total += strlen(argv[index]);
  check(total > 0 && variables != NULL, "executes a program");
  if ((fake.flags & NO_GLIBC) != 0) return errno = ENOENT, -1;
  longjmp(end, EXECUTED + 1);
}

static _Noreturn void fake_exit(int status) {
  fake.status = status;
  longjmp(end, EXITED + 1);
}

static int fake_socket(int domain, int type, int protocol) { return (void)domain, (void)type, (void)protocol, AGENT; }
static int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
  return (void)fd, (void)level, (void)name, (void)value, (void)size, 0;
}
static int fake_connect(int fd, const struct sockaddr *address, socklen_t size) {
  (void)fd;
  check(memchr(((const struct sockaddr_un *)address)->sun_path, 0, size - sizeof(sa_family_t)) != NULL, "ends the path of the socket");
  return (fake.flags & CONNECTS) != 0 ? 0 : -1;
}
static int fake_memfd_create(const char *name, unsigned flags) { return (void)name, (void)flags, MEMORY; }
static off_t fake_lseek(int fd, off_t at, int whence) { return (void)fd, (void)whence, at; }
static int fake_dup2(int from, int to) { return (void)from, to; }
static int fake_close(int fd) { return (void)fd, 0; }
static int fake_printf(const char *format, ...) {
  char text[4096];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  return length;
}

#define realloc fake_realloc
#define calloc fake_calloc
#define free fake_free
#define read fake_read
#define write fake_write
#define send fake_send
#define readlink fake_readlink
#define stat(path, to) fake_stat(path, to)
#define execve fake_execve
#define _exit fake_exit
#define socket(domain, type, protocol) fake_socket(domain, type, protocol)
#define setsockopt fake_setsockopt
#define connect fake_connect
#define memfd_create fake_memfd_create
#define lseek fake_lseek
#define dup2 fake_dup2
#define close fake_close
#define printf fake_printf
#define main launch
#include "main.c"
#undef realloc
#undef calloc
#undef free
#undef main

/// Takes a part of the input: two bytes of length, then the bytes.
static struct stream take(const uint8_t **from, size_t *left) {
  if (*left < 2) return (struct stream){*from, 0, 0};
  size_t length = (size_t)(*from)[0] | (size_t)(*from)[1] << 8;
  *from += 2, *left -= 2;
  if (length > *left) length = *left;
  struct stream part = {*from, length, 0};
  *from += length, *left -= length;
  return part;
}

/// Checks the frame of a request that was sent completely: its length, its fields, and stdin at its end.
static void check_request(void) {
  const uint8_t *b = fake.sent.bytes;
  size_t size = fake.sent.length;
  check(size > 4 && ((size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24) == size - 4, "the request has its length");
  check(memcmp(b + 4, PROTOCOL, sizeof PROTOCOL) == 0, "the request begins with the protocol");
  check(fake.input.length <= size && memcmp(b + size - fake.input.length, fake.input.bytes, fake.input.length) == 0,
        "the request ends with stdin");
}

static void check_ending(enum ending ending) {
  const uint8_t *r = fake.response.bytes;
  size_t length = fake.response.length;
  if (fake.sent.length > 0) check_request();
  size_t announced = length < RESPONSE_HEADER ? 0 : response_length((const char *)r);
  bool whole = length >= RESPONSE_HEADER && r[0] != STATUS_STANDALONE && length >= RESPONSE_HEADER + announced;
  if (fake.printed.length > 0) {
    check(whole && ending == EXITED, "prints only a whole response");
    check(fake.printed.length == announced && memcmp(fake.printed.bytes, r + RESPONSE_HEADER, announced) == 0, "prints the response");
    check(fake.status == r[0], "exits with the status of the response");
  }
  if (ending == EXECUTED && fake.input.at > 0)
    check(fake.memory.length == fake.input.at && memcmp(fake.memory.bytes, fake.input.bytes, fake.memory.length) == 0,
          "passes stdin on to the full plugin");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  memset(&fake, 0, sizeof fake);
  fake.flags = data[0];
  fake.calls = data[1];
  data += 2, size -= 2;
  struct stream variables = take(&data, &size);
  fake.input = take(&data, &size);
  fake.response = (struct stream){data, size, 0};
  // Zero bytes separate the variables.
  char *text = calloc(1, variables.length + 1), *list[MAX_VARIABLES + 1] = {0};
  memcpy(text, variables.bytes, variables.length);
  size_t count = 0;
  for (size_t at = 0; at < variables.length && count < MAX_VARIABLES; at += strlen(text + at) + 1) list[count++] = text + at;
  char name[] = "/opt/cni/bin/interlay-ipam";
  if ((fake.flags & IS_IPAM) == 0) name[sizeof "/opt/cni/bin/interlay" - 1] = 0;
  char *argv[] = {name, NULL};
  char **saved = environ;
  environ = list;
  int ended = setjmp(end);
  if (ended == 0) launch(1, argv);
  environ = saved;
  check_ending((enum ending)(ended - 1));
  for (size_t slot = 0; slot < fake.count; slot++) free(fake.allocations[slot]);
  free(fake.sent.bytes);
  free(fake.printed.bytes);
  free(fake.memory.bytes);
  free(text);
  return 0;
}
