package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// environment is a folder with a cinder.conf, and simulated arrays for it to name.
type environment struct {
	t      *testing.T
	folder string
	server *simulator.Server
	arrays []*simulator.Array
}

// newEnvironment serves the first n built-in arrays.
func newEnvironment(t *testing.T, n int) *environment {
	t.Helper()
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return newEnvironmentOf(t, fixtures[:n])
}

func newEnvironmentOf(t *testing.T, fixtures []simulator.Fixture) *environment {
	t.Helper()
	var err error
	l := &environment{t: t, folder: t.TempDir()}
	for _, f := range fixtures {
		l.arrays = append(l.arrays, simulator.New(f, simulator.Options{Tokens: []string{tokenOf(f.Name)}}))
	}
	if l.server, err = simulator.Serve(l.arrays, simulator.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.server.Close() })
	l.write("ca.pem", string(l.server.CAPEM()))
	return l
}

func tokenOf(array string) string { return "hush-" + array }

func (l *environment) path(name string) string { return filepath.Join(l.folder, name) }

// write replaces a file by rename, so that it is never half written.
func (l *environment) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(l.path(name)+".new", []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(l.path(name)+".new", l.path(name)); err != nil {
		l.t.Fatal(err)
	}
}

// configure writes a cinder.conf with the first n arrays; more lines go into
// each stanza.
func (l *environment) configure(n int, more ...string) {
	l.t.Helper()
	var names []string
	var stanzas strings.Builder
	for i, a := range l.arrays[:n] {
		names = append(names, fmt.Sprintf("fa%d", i))
		fmt.Fprintf(&stanzas, "[fa%d]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = gold\nsan_ip = %s\ndriver_ssl_cert_verify = true\ndriver_ssl_cert_path = %s\n",
			i, l.server.Addr(a.Name()), l.path("ca.pem"))
		if !strings.Contains(strings.Join(more, "\n"), "token_") {
			fmt.Fprintf(&stanzas, "pure_api_token = %s\n", tokenOf(a.Name()))
		}
		for _, line := range more {
			fmt.Fprintln(&stanzas, line)
		}
	}
	l.write("cinder.conf", fmt.Sprintf(
		"[DEFAULT]\nhost = ctl1\nenabled_backends = %s\ntransport_url = rabbit://u:p@127.0.0.1:1/\n[poolcast]\npoll_interval = 3s\nlisten = off\n%s",
		strings.Join(names, ","), &stanzas))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs the program in this process.
func (l *environment) run(ctx context.Context, args ...string) (stdout, stderr *safeBuffer, done <-chan error) {
	l.t.Helper()
	stdout, stderr = &safeBuffer{}, &safeBuffer{}
	root := newRootCommandWith(&rootFlags{fileInterval: fileInterval})
	root.SetArgs(append([]string{"--config-file", l.path("cinder.conf")}, args...))
	root.SetOut(stdout)
	root.SetErr(stderr)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	return stdout, stderr, ended
}

// agent runs the agent until the test ends and returns its log.
func (l *environment) agent(args ...string) (log *safeBuffer, stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	_, log, done := l.run(ctx, args...)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Errorf("the agent ended with %v", err)
		}
	})
	l.t.Cleanup(stop)
	return log, stop
}

// command runs a command to its end.
func (l *environment) command(args ...string) (stdout, stderr string, code int) {
	l.t.Helper()
	out, errs, done := l.run(l.t.Context(), args...)
	err := <-done
	return out.String(), errs.String(), exitCode(err)
}

// fileInterval is how often agents in tests hash their files.
const fileInterval = 50 * time.Millisecond

// exitCode is the code with which the program would end.
func exitCode(err error) int {
	code, _ := exit.Code(err)
	return code
}

// maxWait is how long tests wait at most, on a busy machine.
const maxWait = 30 * time.Second

// await waits until something has happened.
func (l *environment) await(what string, happened func() bool) {
	l.t.Helper()
	deadline := time.NewTimer(maxWait)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-deadline.C:
			l.t.Fatalf("%s did not happen within %s", what, maxWait)
		case <-tick.C:
		}
	}
}

// safeBuffer is written by the program and read by the test.
type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *safeBuffer) has(text string) func() bool {
	return func() bool { return strings.Contains(b.String(), text) }
}

// polled reports whether an array has received a request for its space since the
// last reset.
func polled(a *simulator.Array) func() bool {
	return func() bool {
		for request, n := range a.Requests() {
			if n > 0 && strings.HasPrefix(request, http.MethodGet) && strings.HasSuffix(request, "arrays/space") {
				return true
			}
		}
		return false
	}
}

// understood reports what is wrong with a command line of the program, without
// running it.
func understood(args []string) error {
	cmd, rest, err := newRootCommand().Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil && cmd.Args != nil {
		err = cmd.Args(cmd, cmd.Flags().Args())
	}
	return err
}
