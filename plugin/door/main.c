// The door: what a container runtime starts as interlay and interlay-ipam. It hands the call to the node's agent, which is
// warm, and prints the answer; where there is no agent to answer, or it says so, the whole plugin beside it (interlay-full)
// does the call alone. It decides nothing of networking, and has nothing of it: docs/plugin.md, "Two ways".
//
// In C for its start, which every pod waits for: Go's runtime takes half a millisecond to be there.
#define _GNU_SOURCE
#include <errno.h>
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

#define PROTOCOL "interlay-call/1"
#define WHOLE "interlay-full"
/// The agent answers with the status that we end with, or with this: the call is to be done alone.
#define ALONE 255
/// An answer is five bytes (status, length) and what goes to stdout.
#define ANSWER_HEAD 5

extern char **environ;

/// Bytes that grow; `bytes` is NULL only while there are none.
struct buffer {
  char *bytes;
  size_t length, capacity;
};

/// CNI spec 1.1.0, section 5 "Error", code 5: an I/O failure. `what` is without quotes and backslashes.
static _Noreturn void fail(const char *what, int error) {
  printf("{\"cniVersion\":\"1.0.0\",\"code\":5,\"msg\":\"%s: %s\"}\n", what, strerror(error));
  fflush(stdout);
  _exit(1);
}

static void reserve(struct buffer *to, size_t more) {
  if (more <= to->capacity - to->length) return;
  size_t capacity = 2 * (to->length + more);
  char *bytes = realloc(to->bytes, capacity);
  if (bytes == NULL) fail("a call cannot be held", ENOMEM);
  to->bytes = bytes;
  to->capacity = capacity;
}

static void append(struct buffer *to, const void *bytes, size_t length) {
  reserve(to, length);
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

/// A string with the zero byte that ends it.
static void append_field(struct buffer *to, const char *text) { append(to, text, strlen(text) + 1); }

/// Until the end, or until there are `most` bytes.
static bool read_all(int fd, struct buffer *to, size_t most) {
  while (to->length < most) {
    reserve(to, 16384);
    ssize_t got = read(fd, to->bytes + to->length, to->capacity - to->length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    to->length += (size_t)got;
  }
  return true;
}

/// A socket whose other end has gone is no reason to be killed.
static bool send_all(int fd, bool is_socket, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = is_socket ? send(fd, bytes, length, MSG_NOSIGNAL) : write(fd, bytes, length);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes += put;
    length -= (size_t)put;
  }
  return true;
}

/// Is the whole plugin from here on, with the same arguments and environment; `input` is what was read of stdin.
static _Noreturn void become(char **argv, const struct buffer *input) {
  if (input != NULL) {
    int fd = memfd_create("stdin", 0);
    if (fd < 0 || !send_all(fd, false, input->bytes, input->length) || lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, 0) != 0)
      fail("the configuration cannot be handed on", errno);
    if (fd != 0) close(fd);
  }
  char path[4096 + sizeof WHOLE];
  ssize_t length = readlink("/proc/self/exe", path, 4096);
  if (length < 0) fail("/proc/self/exe cannot be read", errno);
  while (length > 0 && path[length - 1] != '/') length--;
  memcpy(path + length, WHOLE, sizeof WHOLE);
  execve(path, argv, environ);
  fail(WHOLE " beside interlay cannot be started", errno);
}

static int connect_agent(int patience) {
  const char *path = getenv("INTERLAY_CNI_SOCKET");
  if (path == NULL) path = "/run/interlay/cni.sock";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval wait = {.tv_sec = patience / 1000, .tv_usec = patience % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/// The same for two processes exactly if a path leads both to the same file.
static void append_identity(struct buffer *to, const char *path) {
  char text[48] = "";
  struct stat file;
  if (stat(path, &file) == 0)
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
  append_field(to, text);
}

static void append_number(struct buffer *to, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%jd", (intmax_t)number);
  append_field(to, text);
}

/// Its length, then strings that each end with a zero byte (protocol, name, when it began, how long it waits, in which
/// network namespace it is, which one CNI_NETNS is, the environment's CNI_ variables, an empty one), then stdin.
static struct buffer request(const char *name, int patience, const struct buffer *input) {
  struct buffer made = {0};
  struct timeval now;
  gettimeofday(&now, NULL);
  const char *netns = getenv("CNI_NETNS");
  append(&made, "\0\0\0\0", 4);
  append_field(&made, PROTOCOL);
  append_field(&made, name);
  append_number(&made, (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000);
  append_number(&made, patience);
  append_identity(&made, "/proc/self/ns/net");
  append_identity(&made, netns == NULL ? "" : netns);
  for (char **variable = environ; *variable != NULL; variable++)
    if (strncmp(*variable, "CNI_", 4) == 0) append_field(&made, *variable);
  append_field(&made, "");
  append(&made, input->bytes, input->length);
  size_t size = made.length - 4;
  for (int byte = 0; byte < 4; byte++) made.bytes[byte] = (char)(size >> 8 * byte);
  return made;
}

static size_t length_in(const char *answer) {
  const unsigned char *b = (const unsigned char *)answer;
  return (size_t)b[1] | (size_t)b[2] << 8 | (size_t)b[3] << 16 | (size_t)b[4] << 24;
}

int main(int argc, char **argv) {
  if (getenv("CNI_COMMAND") == NULL || argc != 1) become(argv, NULL);
  const char *slash = strrchr(argv[0], '/');
  const char *name = slash == NULL ? argv[0] : slash + 1;
  // Milliseconds. An address comes from the API server, a wired pod from this node alone.
  int patience = strcmp(name, "interlay-ipam") == 0 ? 20000 : 10000;
  int agent = connect_agent(patience);
  if (agent < 0) become(argv, NULL); // stdin has not been touched
  struct buffer input = {0}, answer = {0};
  if (!read_all(0, &input, SIZE_MAX)) become(argv, &input);
  struct buffer ask = request(name, patience, &input);
  if (!send_all(agent, true, ask.bytes, ask.length)) become(argv, &input);
  if (!read_all(agent, &answer, ANSWER_HEAD) || answer.length < ANSWER_HEAD) become(argv, &input);
  int status = (unsigned char)answer.bytes[0];
  size_t length = ANSWER_HEAD + length_in(answer.bytes);
  if (status == ALONE || !read_all(agent, &answer, length) || answer.length != length)
    become(argv, &input); // also an agent that died over its answer: every call may be made twice
  _exit(send_all(1, false, answer.bytes + ANSWER_HEAD, length - ANSWER_HEAD) ? status : 1);
}
