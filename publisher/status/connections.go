package status

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// maxConnections is how many clients may be connected: Prometheus, probes, and
// the six connections of each of some browsers.
const maxConnections = 64

// connections keeps their number below a bound. Where one too many is opened,
// another is closed: the one that has waited longest for a request, or else the
// one that has been answered longest. So clients that do nothing, or do not read
// what they asked for, keep nobody out.
type connections struct {
	most int

	mu   sync.Mutex
	open []connection // by the time of their last change, the earliest first
}

type connection struct {
	net.Conn
	answered bool // a request is being read or answered
}

func newConnections(most int) *connections { return &connections{most: most} }

// change is http.Server.ConnState.
func (c *connections) change(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.open, func(o connection) bool { return o.Conn == conn })
	if at >= 0 {
		c.open = slices.Delete(c.open, at, at+1)
	}
	switch {
	case state == http.StateNew:
		if len(c.open) >= c.most {
			c.closeOne()
		}
	case at < 0, state == http.StateClosed, state == http.StateHijacked:
		return
	}
	c.open = append(c.open, connection{conn, state == http.StateActive})
}

func (c *connections) closeOne() {
	at := max(0, slices.IndexFunc(c.open, func(o connection) bool { return !o.answered }))
	victim := c.open[at].Conn
	c.open = slices.Delete(c.open, at, at+1)
	if secure, ok := victim.(interface{ NetConn() net.Conn }); ok {
		victim = secure.NetConn() // without the last message of TLS, which may block
	}
	_ = victim.Close()
}
