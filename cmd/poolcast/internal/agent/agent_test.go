package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/poolcast/poolcast/flasharray"
)

func TestFailureCauseIsTheSameForTheSameFailure(t *testing.T) {
	t.Parallel()
	status := func(code int, request string) error {
		return fmt.Errorf("read: %w", &flasharray.APIError{Method: "GET", Path: "arrays", Status: code, RequestID: request})
	}
	refused := func(port int) error {
		return &flasharray.RequestError{Path: "arrays", RequestID: fmt.Sprint(port), Err: &net.OpError{
			Op: "dial", Net: "tcp", Source: &net.TCPAddr{Port: port}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
		}}
	}
	lookup := func(port int) error {
		return &net.DNSError{Err: fmt.Sprintf("read udp 10.0.0.1:%d->10.0.0.2:53: i/o timeout", port), Name: "fa1"}
	}
	for name, c := range map[string]struct {
		a, b error
		same bool
	}{
		"another request":     {status(503, "a1"), status(503, "b2"), true},
		"another status":      {status(503, "a1"), status(401, "b2"), false},
		"another source port": {refused(4000), refused(51234), true},
		"another lookup":      {lookup(4000), lookup(51234), true},
		"status and network":  {status(503, "a1"), refused(4000), false},
		"a refused token":     {fmt.Errorf("log in: %w", flasharray.ErrTokenRefused), errors.Join(flasharray.ErrTokenRefused, status(401, "x")), true},
	} {
		if a, b := failureCause(c.a), failureCause(c.b); (a == b) != c.same {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
}
