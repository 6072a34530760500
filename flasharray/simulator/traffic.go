package simulator

import (
	"maps"
	"net/http"
	"sync"
)

// traffic counts what an array was asked and what it sent.
type traffic struct {
	mu       sync.Mutex
	requests map[string]int
	bytes    int64
}

func (t *traffic) count(request string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests == nil {
		t.requests = map[string]int{}
	}
	t.requests[request]++
}

// Requests counts the requests so far by method and endpoint, for instance
// "GET arrays/space", "POST login", "GET api_version".
func (a *Array) Requests() map[string]int {
	a.traffic.mu.Lock()
	defer a.traffic.mu.Unlock()
	return maps.Clone(a.traffic.requests)
}

// BytesSent is the size of all response bodies so far.
func (a *Array) BytesSent() int64 {
	a.traffic.mu.Lock()
	defer a.traffic.mu.Unlock()
	return a.traffic.bytes
}

// ResetTraffic sets Requests and BytesSent back to nothing.
func (a *Array) ResetTraffic() {
	a.traffic.mu.Lock()
	defer a.traffic.mu.Unlock()
	a.traffic.requests, a.traffic.bytes = nil, 0
}

type countingWriter struct {
	http.ResponseWriter
	traffic *traffic
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.traffic.mu.Lock()
	w.traffic.bytes += int64(n)
	w.traffic.mu.Unlock()
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
