//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher"
)

// publisherBackend is the backend that these tests report.
const publisherBackend = "ctl1@fa1"

// publisherInterval is the interval of the publishers in these tests. A sample is used
// for ten of them, which is longer than any outage here.
const publisherInterval = 30 * time.Second

// baseReport is a report of cinder-volume, with keys that poolcast does not read.
func baseReport(t *testing.T, volumes int) capability.Set {
	t.Helper()
	set, err := capability.ParseSet(fmt.Appendf(nil, `{"total_capacity_gb":1000.0,"free_capacity_gb":500.0,"total_volumes":%d,
		"allocated_capacity_gb":17,"rack":"\u00e4","limits":{"a":[1e3,null],"z":1.50}}`, volumes))
	must(t, err)
	return set
}

// publisherRun is a running publisher with its log.
type publisherRun struct {
	*publisher.Publisher
	t    *testing.T
	log  *logBuffer
	stop func()
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// password is a plain text as a secret.
type password string

func (s password) Reveal() string { return string(s) }

// startPublisher runs a publisher until the test ends, by default with the usual confirm
// timeout, which a busy broker needs.
func startPublisher(t *testing.T, o publisher.Options) *publisherRun {
	t.Helper()
	a := &publisherRun{t: t, log: &logBuffer{}}
	o.Logger = zerolog.New(a.log)
	o.Interval = cmp.Or(o.Interval, publisherInterval)
	o.ConfirmTimeout = cmp.Or(o.ConfirmTimeout, 10*time.Second)
	p, err := publisher.New(o)
	must(t, err)
	a.Publisher = p
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			must(t, err)
		case <-time.After(pollBound):
			t.Error("the publisher did not stop")
		}
	})
	t.Cleanup(func() {
		a.stop()
		if t.Failed() {
			t.Logf("the agent's log:\n%s", a.log)
		}
	})
	return a
}

// offer gives the publisher a new report of the backend.
func (a *publisherRun) offer(volumes int64) {
	set := capability.Set{
		"total_capacity_gb": capability.OfFloat(1000), "free_capacity_gb": capability.OfFloat(400),
		"total_volumes": capability.OfInt(volumes), "metrics_agent": capability.OfString("poolcast"),
	}
	a.Update(capability.Report{
		Host: publisherBackend, CollectedAt: time.Now(), Status: capability.OK,
		Capabilities: set, LiveKeys: set.SortedKeys(),
	})
}

// awaits waits for a state of the session, and returns the session.
func (a *publisherRun) awaits(state publisher.SessionState) publisher.Session {
	a.t.Helper()
	var s publisher.Session
	process.Await(a.t, pollBound, "the session to be "+string(state), func() error {
		if s = a.Status().Session; s.State != state {
			return fmt.Errorf("it is %+v", s)
		}
		return nil
	})
	return s
}

// publisherOptions connect to one virtual host of a broker.
func publisherOptions(t *testing.T, uri string) publisher.Options {
	t.Helper()
	u, err := url.Parse(uri)
	must(t, err)
	host, port, err := net.SplitHostPort(u.Host)
	must(t, err)
	n, err := strconv.Atoi(port)
	must(t, err)
	word, _ := u.User.Password()
	return publisher.Options{
		Brokers:     []publisher.Broker{{Host: host, Port: n, User: u.User.Username(), Password: password(word)}},
		VirtualHost: u.Path[1:],
	}
}

// standaloneOptions publish reports although no cinder-volume reports.
func standaloneOptions(t *testing.T, uri string) publisher.Options {
	t.Helper()
	o := publisherOptions(t, uri)
	o.Standalone = true
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
