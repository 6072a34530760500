package publisher

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// TestPoolsSilentBroker: a host that accepts connections and sends nothing ends the
// request with its context.
func TestPoolsSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err = Pools(ctx, Options{Brokers: []Broker{{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "u"}}})
	if err == nil || !strings.Contains(err.Error(), "request pools of the scheduler: 127.0.0.1:") || time.Since(begun) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}
