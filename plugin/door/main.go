// Command door is what a container runtime starts as interlay and interlay-ipam. It hands the call to the node's agent,
// which is warm, and prints the answer; where there is no agent to answer, or it says so, the whole plugin beside it
// (interlay-full) does the call alone. It decides nothing of networking, and has nothing of it: docs/plugin.md, "Two ways".
package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const (
	protocol = "interlay-call/1"
	whole    = "interlay-full"
	// The agent answers with the status that we end with, or with this: the call is to be done alone.
	alone = 255
	// An answer is five bytes (status, length) and what goes to stdout.
	answerHead = 5
	// Of amd64, as all that Interlay is built for; package syscall has it not.
	sysMemfdCreate = 319
)

func main() {
	if _, called := syscall.Getenv("CNI_COMMAND"); !called || len(os.Args) > 1 {
		become(nil)
	}
	name := os.Args[0][strings.LastIndexByte(os.Args[0], '/')+1:]
	// Milliseconds. An address comes from the API server, a wired pod from this node alone.
	patience := 5000
	if name == "interlay-ipam" {
		patience = 20000
	}
	agent, err := connect(patience)
	if err != nil {
		become(nil) // stdin has not been touched
	}
	input, err := readAll(0)
	if err != nil {
		become(input)
	}
	if send(agent, request(name, patience, input)) != nil {
		become(input)
	}
	answer, err := readAll(agent)
	if err != nil || len(answer) < answerHead || answer[0] == alone {
		become(input)
	}
	output := answer[answerHead:]
	if length := int(answer[1]) | int(answer[2])<<8 | int(answer[3])<<16 | int(answer[4])<<24; length != len(output) {
		become(input) // the agent died over its answer; every call may be made twice
	}
	if send(1, output) != nil {
		syscall.Exit(1)
	}
	syscall.Exit(int(answer[0]))
}

func connect(patience int) (int, error) {
	path, set := syscall.Getenv("INTERLAY_CNI_SOCKET")
	if !set {
		path = "/run/interlay/cni.sock"
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fd, err
	}
	wait := syscall.NsecToTimeval(int64(patience) * 1e6)
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &wait)
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait)
	return fd, syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
}

// request is its length, then strings that each end with a zero byte (protocol, name, when it began, how long it waits,
// in which network namespace it is, which one CNI_NETNS is, the environment's CNI_ variables, an empty one), then stdin.
func request(name string, patience int, input []byte) []byte {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now)
	netns, _ := syscall.Getenv("CNI_NETNS")
	began := strconv.FormatInt(now.Nano()/1e6, 10)
	fields := []string{protocol, name, began, strconv.Itoa(patience), identity("/proc/self/ns/net"), identity(netns)}
	for _, variable := range syscall.Environ() {
		if strings.HasPrefix(variable, "CNI_") {
			fields = append(fields, variable)
		}
	}
	body := strings.Join(fields, "\x00") + "\x00\x00" + string(input)
	size := len(body)
	return append([]byte{byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)}, body...)
}

// identity is the same for two processes exactly if a path leads both to the same file.
func identity(path string) string {
	var stat syscall.Stat_t
	if syscall.Stat(path, &stat) != nil {
		return ""
	}
	return strconv.FormatUint(stat.Dev, 10) + ":" + strconv.FormatUint(stat.Ino, 10)
}

func readAll(fd int) ([]byte, error) {
	all := make([]byte, 0, 16384)
	for {
		if len(all) == cap(all) {
			all = append(make([]byte, 0, 2*cap(all)), all...)
		}
		n, err := syscall.Read(fd, all[len(all):cap(all)])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return all, err
		}
		all = all[:len(all)+n]
	}
}

func send(fd int, bytes []byte) error {
	for len(bytes) > 0 {
		n, err := syscall.Write(fd, bytes)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		bytes = bytes[n:]
	}
	return nil
}

// become is the whole plugin from here on, with the same arguments and environment; input is what was read of its stdin.
func become(input []byte) {
	if input != nil {
		name := []byte("stdin\x00")
		fd, _, errno := syscall.Syscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name[0])), 0, 0)
		if errno != 0 || send(int(fd), input) != nil {
			fail("the configuration cannot be handed on: " + errno.Error())
		}
		_, _ = syscall.Seek(int(fd), 0, 0)
		_ = syscall.Dup3(int(fd), 0, 0)
	}
	self := make([]byte, 4096)
	n, err := syscall.Readlink("/proc/self/exe", self)
	if err != nil {
		fail("/proc/self/exe cannot be read: " + err.Error())
	}
	path := string(self[:n])
	path = path[:strings.LastIndexByte(path, '/')+1] + whole
	err = syscall.Exec(path, os.Args, syscall.Environ())
	fail(path + " cannot be started: " + err.Error())
}

// fail is CNI spec 1.1.0, section 5 "Error", code 5: an I/O failure.
func fail(message string) {
	_ = send(1, []byte(`{"cniVersion":"1.0.0","code":5,"msg":`+strconv.Quote(message)+"}\n"))
	syscall.Exit(1)
}
