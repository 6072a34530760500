//go:build integration

package publisher

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"
)

const (
	// python is the interpreter that sees Debian's packages; another one
	// earlier in the path may not.
	python = "/usr/bin/python3"
	// cinderBound is how long one Python process may run.
	cinderBound = 10 * time.Minute
)

// cinder is testdata/scheduler.py: the scheduler's own classes in a Python
// process, to which each request brings its time along. It may be used inside
// of a synctest bubble, where waiting for a response does not pass virtual time.
type cinder struct {
	mu  sync.Mutex
	in  *bufio.Writer
	out *bufio.Reader
}

// cinderBackend is one backend that has a running cinder-volume.
type cinderBackend struct {
	Host    string  `json:"host"`
	Cluster *string `json:"cluster"`
}

// cinderState is what the next request reads of a backend, and what get_pools
// shows of it.
type cinderState struct {
	Capabilities map[string]json.RawMessage
	Shown        map[string]json.RawMessage
	Free         float64
	Allocated    float64
	Provisioned  float64
}

// startCinder starts a process, which ends with the test.
func startCinder(t *testing.T) *cinder {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cinderBound)
	cmd := exec.CommandContext(ctx, python, "testdata/scheduler.py")
	c := &cinder{}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", python, err)
	}
	c.in, c.out = bufio.NewWriter(in), bufio.NewReader(out)
	t.Cleanup(func() {
		defer cancel()
		_ = c.in.Flush() // an error of these two is the process's, and Wait has it
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the Cinder scheduler classes cannot be used (%v): run integration/setup, or apt-get install cinder-scheduler python3-cinder\n%s", err, &errs)
		}
	})
	return c
}

// request writes one line. Nothing is written to the process before a response
// is read, so that a series of requests costs one switch of processes.
func (c *cinder) request(t testing.TB, now time.Time, op string, args map[string]any) {
	t.Helper()
	line := map[string]any{"op": op, "now": now.UnixMicro()}
	for key, value := range args {
		line[key] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, append(text, '\n'))
}

func (c *cinder) write(t testing.TB, line []byte) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.in.Write(line); err != nil {
		t.Fatalf("write to the Cinder scheduler classes: %v", err)
	}
}

// response reads the response to the oldest request that has none yet.
func (c *cinder) response(t testing.TB, into any) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.in.Flush(); err != nil {
		t.Fatalf("write to the Cinder scheduler classes: %v", err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("read from the Cinder scheduler classes: %v", err)
	}
	var failed struct{ Error string }
	if json.Unmarshal(line, &failed) == nil && failed.Error != "" {
		t.Fatalf("Cinder: %s", failed.Error)
	}
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatalf("read the response %s: %v", line, err)
	}
}

// begin makes a new scheduler that has received nothing. Only create uses the
// weigher.
func (c *cinder) begin(t testing.TB, weigher string, backends ...cinderBackend) {
	t.Helper()
	c.request(t, time.Now(), "new", map[string]any{"backends": backends, "weigher": weigher})
}

// report is update_service_capabilities with a message as it is on the bus.
func (c *cinder) report(t testing.TB, now time.Time, body []byte) {
	t.Helper()
	c.request(t, now, "report", map[string]any{"body": string(body)})
}

// create requests a volume. The response is the name of the pool.
func (c *cinder) create(t testing.TB, now time.Time, size int) {
	t.Helper()
	c.write(t, fmt.Appendf(nil, `{"op":"create","now":%d,"size":%d}`+"\n", now.UnixMicro(), size))
}

// state asks for the state of every backend that has reported.
func (c *cinder) state(t testing.TB, now time.Time) map[string]cinderState {
	t.Helper()
	c.request(t, now, "state", nil)
	var states map[string]cinderState
	c.response(t, &states)
	return states
}
