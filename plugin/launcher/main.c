// The launcher: the program that a container runtime starts as interlay and interlay-ipam. It forwards the call to the node's
// agent and prints the response. If the agent does not respond, or asks for it, the launcher executes interlay-full, which is next
// to it and contains the whole plugin. The launcher contains no networking logic: docs/plugin.md, "Execution".
//
// Written in C for start-up time, which is on the critical path of every pod (a Go program needs 0.5 ms more).
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
#define FALLBACK_BINARY "interlay-full"
/// Directory next to the full plugin with the loader and the libraries that it needs, which the agent installs.
#define LIBRARIES "interlay-lib"
/// The response's status is our exit status, or this value: run the call standalone.
#define STATUS_STANDALONE 255
/// A response is one byte of status, four bytes of length (little endian), and the text for stdout.
#define RESPONSE_HEADER 5

extern char **environ;

/// Growing byte buffer; `bytes` is NULL while it is empty.
struct buffer {
  char *bytes;
  size_t length, capacity;
};

/// Prints a CNI error (spec 1.1.0, section 5, code 5: I/O failure) and exits. `what` must not contain quotes or backslashes.
static _Noreturn void fail(const char *what, int error) {
  printf("{\"cniVersion\":\"1.0.0\",\"code\":5,\"msg\":\"%s: %s\"}\n", what, strerror(error));
  fflush(stdout);
  _exit(1);
}

/// Prints a CNI error (spec 1.1.0, section 5, code 11: try again later) and exits: only the agent can serve calls on this node.
static _Noreturn void fail_until_agent(void) {
  printf("{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"the agent does not respond, and " FALLBACK_BINARY
         " cannot run on this node, which has no glibc, and " LIBRARIES " is incomplete: the call succeeds when the agent runs\"}\n");
  fflush(stdout);
  _exit(1);
}

static void reserve(struct buffer *to, size_t more) {
  if (more <= to->capacity - to->length) return;
  size_t capacity = 2 * (to->length + more);
  char *bytes = realloc(to->bytes, capacity);
  if (bytes == NULL) fail("cannot store the request", ENOMEM);
  to->bytes = bytes;
  to->capacity = capacity;
}

static void append(struct buffer *to, const void *bytes, size_t length) {
  reserve(to, length);
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

/// Appends a string including its terminating zero byte.
static void append_field(struct buffer *to, const char *text) { append(to, text, strlen(text) + 1); }

/// Reads until the end of the stream, or until the buffer has `limit` bytes. Returns false on a read error.
static bool read_all(int fd, struct buffer *to, size_t limit) {
  while (to->length < limit) {
    reserve(to, 16384);
    ssize_t got = read(fd, to->bytes + to->length, to->capacity - to->length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    to->length += (size_t)got;
  }
  return true;
}

/// Writes all bytes. MSG_NOSIGNAL: no SIGPIPE if the peer closed the socket.
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

/// Executes the full plugin with the loader in LIBRARIES, on a node without glibc. Returns if the loader does not exist.
static void exec_by_own_loader(const char *directory, char *plugin, char **argv) {
  char libraries[4096 + sizeof LIBRARIES], loader[sizeof libraries + sizeof "/ld.so"];
  snprintf(libraries, sizeof libraries, "%s" LIBRARIES, directory);
  snprintf(loader, sizeof loader, "%s/ld.so", libraries);
  int argc = 0;
  while (argv[argc] != NULL) argc++;
  char *options[] = {loader, "--library-path", libraries, "--argv0", argv[0], plugin};
  size_t count = sizeof options / sizeof *options;
  char **all = calloc(count + (size_t)argc, sizeof *all); // argv[0] is replaced by the options, and NULL ends the list
  if (all == NULL) fail("cannot store the arguments", ENOMEM);
  memcpy(all, options, sizeof options);
  for (int index = 1; index < argc; index++) all[count + (size_t)index - 1] = argv[index];
  execve(loader, all, environ);
  free(all);
}

/// Executes interlay-full with the same arguments and environment. `input` is what was already read from stdin, or NULL.
static _Noreturn void exec_fallback(char **argv, const struct buffer *input) {
  if (input != NULL) {
    int fd = memfd_create("stdin", 0);
    if (fd < 0 || !send_all(fd, false, input->bytes, input->length) || lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, 0) != 0)
      fail("cannot pass the configuration on", errno);
    if (fd != 0) close(fd);
  }
  char path[4096 + sizeof FALLBACK_BINARY];
  ssize_t length = readlink("/proc/self/exe", path, 4096);
  if (length < 0 || length == 4096) fail("cannot read /proc/self/exe", length < 0 ? errno : ENAMETOOLONG);
  while (length > 0 && path[length - 1] != '/') length--;
  memcpy(path + length, FALLBACK_BINARY, sizeof FALLBACK_BINARY);
  execve(path, argv, environ);
  int error = errno;
  struct stat file;
  // The file exists and its interpreter does not: a node without glibc, such as Alpine or Talos.
  if (error == ENOENT && stat(path, &file) == 0) {
    char directory[4096] = "";
    memcpy(directory, path, (size_t)length); // the rest is zero, and length < 4096
    exec_by_own_loader(directory, path, argv);
    fail_until_agent();
  }
  fail("cannot execute " FALLBACK_BINARY, error);
}

/// Returns a connected socket with this timeout for sending and receiving, or -1.
static int connect_agent(int timeout_ms) {
  const char *path = getenv("INTERLAY_CNI_SOCKET");
  if (path == NULL) path = "/run/interlay/cni.sock";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/// Appends DEVICE:INODE of a file, which is equal in two processes if and only if the path is the same file for both.
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

/// Builds the request: its length (4 bytes, little endian), then zero-terminated strings (protocol, name, start time in ms,
/// timeout in ms, identity of our network namespace, identity of CNI_NETNS, the CNI_ variables, an empty string), then stdin.
static struct buffer build_request(const char *name, int timeout_ms, const struct buffer *input) {
  struct buffer request = {0};
  struct timeval now;
  gettimeofday(&now, NULL);
  const char *netns = getenv("CNI_NETNS");
  append(&request, "\0\0\0\0", 4);
  append_field(&request, PROTOCOL);
  append_field(&request, name);
  append_number(&request, (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000);
  append_number(&request, timeout_ms);
  append_identity(&request, "/proc/self/ns/net");
  append_identity(&request, netns == NULL ? "" : netns);
  for (char **variable = environ; *variable != NULL; variable++)
    if (strncmp(*variable, "CNI_", 4) == 0) append_field(&request, *variable);
  append_field(&request, "");
  append(&request, input->bytes, input->length);
  size_t size = request.length - 4;
  for (int byte = 0; byte < 4; byte++) request.bytes[byte] = (char)(size >> 8 * byte);
  return request;
}

/// Decodes the length in the header of a response.
static size_t response_length(const char *header) {
  const unsigned char *b = (const unsigned char *)header;
  return (size_t)b[1] | (size_t)b[2] << 8 | (size_t)b[3] << 16 | (size_t)b[4] << 24;
}

int main(int argc, char **argv) {
  if (getenv("CNI_COMMAND") == NULL || argc != 1) exec_fallback(argv, NULL);
  const char *slash = strrchr(argv[0], '/');
  const char *name = slash == NULL ? argv[0] : slash + 1;
  // An address may need the API server; everything else needs only this node.
  int timeout_ms = strcmp(name, "interlay-ipam") == 0 ? 20000 : 10000;
  int agent = connect_agent(timeout_ms);
  if (agent < 0) exec_fallback(argv, NULL); // stdin is still unread
  struct buffer input = {0}, response = {0};
  if (!read_all(0, &input, SIZE_MAX)) exec_fallback(argv, &input);
  struct buffer request = build_request(name, timeout_ms, &input);
  if (!send_all(agent, true, request.bytes, request.length)) exec_fallback(argv, &input);
  if (!read_all(agent, &response, RESPONSE_HEADER) || response.length < RESPONSE_HEADER) exec_fallback(argv, &input);
  int status = (unsigned char)response.bytes[0];
  size_t length = RESPONSE_HEADER + response_length(response.bytes);
  if (status == STATUS_STANDALONE || !read_all(agent, &response, length) || response.length != length)
    exec_fallback(argv, &input); // e.g. the agent died while it responded; calls are idempotent
  _exit(send_all(1, false, response.bytes + RESPONSE_HEADER, length - RESPONSE_HEADER) ? status : 1);
}
