package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Listening ports are taken from below the range that the kernel hands out to
// outgoing connections. From inside it, a client that keeps dialling a stopped
// server may be given the server's own port and end up talking to itself.
const (
	firstPort = 10240
	lastPort  = 32767
)

// Ports returns n different ports on which nobody listens on loopback.
func Ports(t testing.TB, n int) []int {
	t.Helper()
	taken := map[int]bool{}
	ports := make([]int, 0, n)
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !taken[port] && free(port) {
			taken[port] = true
			ports = append(ports, port)
		}
	}
	t.Fatalf("find %d free ports on loopback: only %d found", n, len(ports))
	return nil
}

// free says whether a port can be listened on.
func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
