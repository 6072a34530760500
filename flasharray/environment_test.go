package flasharray_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// environment is a simulated array, a client of it, and a count of the bytes
// between them.
type environment struct {
	*simulator.Array
	server *simulator.Server
	client *flasharray.Client
	bytes  atomic.Int64
	dials  atomic.Int64
}

func fixture(t testing.TB, name string) simulator.Fixture {
	t.Helper()
	f, err := simulator.BuiltinNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// newEnvironment serves a fixture in memory, so that time may be virtual, and checks at
// the end that no session of the client is open.
func newEnvironment(t testing.TB, name string, o simulator.Options, change ...func(*flasharray.Options)) *environment {
	t.Helper()
	return newEnvironmentOf(t, fixture(t, name), o, change...)
}

// newEnvironmentOf does the same with a fixture that is not one of the built-in ones.
func newEnvironmentOf(t testing.TB, f simulator.Fixture, o simulator.Options, change ...func(*flasharray.Options)) *environment {
	t.Helper()
	l := &environment{Array: simulator.New(f, o)}
	l.serve(t, func(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil })
	l.connect(t, change...)
	return l
}

// newNetEnvironment does the same over real sockets.
func newNetEnvironment(t testing.TB, name string, o simulator.Options, change ...func(*flasharray.Options)) *environment {
	t.Helper()
	l := &environment{Array: simulator.New(fixture(t, name), o)}
	l.serve(t, nil)
	l.connect(t, change...)
	return l
}

func (l *environment) serve(t testing.TB, listen func(*simulator.Array) (net.Listener, error)) {
	t.Helper()
	server, err := simulator.Serve([]*simulator.Array{l.Array}, simulator.ServeOptions{Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	l.server = server
}

func (l *environment) connect(t testing.TB, change ...func(*flasharray.Options)) {
	t.Helper()
	options := flasharray.Options{
		Address: l.Addresses()[0], Token: flasharray.StaticToken(apiToken),
		Verify: true, RootCAs: l.server.CertPool(), Dial: l.dial,
	}
	for _, f := range change {
		f(&options)
	}
	client, err := flasharray.New(options)
	if err != nil {
		t.Fatal(err)
	}
	l.client = client
}

func (l *environment) close(t testing.TB) {
	t.Helper()
	l.SetFaults()
	if err := l.client.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close the client: %v", err)
	}
	if n := l.Sessions(); n != 0 {
		t.Errorf("%d sessions are open after Close", n)
	}
	if err := l.server.Close(); err != nil {
		t.Errorf("close the server: %v", err)
	}
}

func (l *environment) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.dials.Add(1)
	conn, err := l.server.DialContext(ctx, network, address)
	return &countedConn{conn, &l.bytes}, err
}

// countedConn counts the bytes in both directions, TLS included.
type countedConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (l *environment) sample(t testing.TB) capability.Sample {
	t.Helper()
	stats, err := l.client.Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// sampleComplete takes a sample that must not lack anything.
func (l *environment) sampleComplete(t testing.TB) capability.Sample {
	t.Helper()
	stats := l.sample(t)
	for _, f := range stats.Faults {
		t.Errorf("%s: %v", f.Part, f.Err)
	}
	return stats
}

// samplesOfTurn is how many samples read every part that shares their last request, if
// no list is long. The next sample at the same time reads the connections.
const samplesOfTurn = 8

// sampleTurn takes so many samples, and returns the last.
func (l *environment) sampleTurn(t testing.TB) (last capability.Sample) {
	t.Helper()
	for range samplesOfTurn {
		last = l.sampleComplete(t)
	}
	return last
}

func (l *environment) requestCount() int {
	n := 0
	for _, asked := range l.Requests() {
		n += asked
	}
	return n
}
