package flasharray

import (
	"maps"
	"sync"
)

// Counters tell what a client has cost its array so far.
type Counters struct {
	// Requests by HTTP status; under 0 those without a complete answer.
	Requests map[int]uint64
	// Logins that succeeded.
	Logins uint64
	// Sessions that are open: 1, or 0 before the first login and after Close.
	Sessions int
	// SessionsLost are logins that were sent and got no answer, and logouts
	// that failed. Each may have left a session that is open until it expires
	// on the array.
	SessionsLost uint64
	// BodyBytes received.
	BodyBytes uint64
}

type counters struct {
	mu sync.Mutex
	Counters
}

func (c *counters) count(status, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Requests == nil {
		c.Requests = map[int]uint64{}
	}
	c.Requests[status]++
	c.BodyBytes += uint64(bytes)
}

func (c *counters) login() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Logins++
	c.Sessions++
}

func (c *counters) sessionEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Sessions--
}

func (c *counters) sessionLost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.SessionsLost++
}

// Counters returns the numbers so far. Any goroutine may call it.
func (c *Client) Counters() Counters {
	c.counters.mu.Lock()
	defer c.counters.mu.Unlock()
	now := c.counters.Counters
	now.Requests = maps.Clone(now.Requests)
	return now
}
