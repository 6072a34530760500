package process

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// Listening ports are taken from below the range that the kernel uses for outgoing
// connections. From inside that range, a client that keeps dialling a stopped
// server may get the server's own port and connect to itself.
const (
	firstPort = 10240
	lastPort  = 32767
)

// Ports returns n different free ports of loopback. Until the test ends no other
// call returns them, also in another process.
func Ports(t T, n int) []int {
	t.Helper()
	ports := make([]int, 0, n)
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		if reserve(t, port) {
			ports = append(ports, port)
		}
	}
	t.Fatalf("find %d free ports on loopback: only %d found", n, len(ports))
	return nil
}

// reserve takes a port if it is free. A UDP socket with the same number marks it
// for other tests, while the test's server is started or stopped.
func reserve(t T, port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	mark, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		_ = mark.Close()
		return false
	}
	_ = l.Close()
	t.Cleanup(func() { _ = mark.Close() })
	return true
}
