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
	e := &environment{t: t, folder: t.TempDir()}
	for _, f := range fixtures {
		e.arrays = append(e.arrays, simulator.New(f, simulator.Options{Tokens: []string{tokenOf(f.Name)}}))
	}
	if e.server, err = simulator.Serve(e.arrays, simulator.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.server.Close() })
	e.write("ca.pem", string(e.server.CAPEM()))
	return e
}

func tokenOf(array string) string { return "hush-" + array }

func (e *environment) path(name string) string { return filepath.Join(e.folder, name) }

// write replaces a file by rename, so that it is never half written.
func (e *environment) write(name, text string) {
	e.t.Helper()
	if err := os.WriteFile(e.path(name)+".new", []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(e.path(name)+".new", e.path(name)); err != nil {
		e.t.Fatal(err)
	}
}

// configure writes a cinder.conf with the first n arrays; more lines go into
// each stanza.
func (e *environment) configure(n int, more ...string) {
	e.t.Helper()
	var names []string
	var stanzas strings.Builder
	for i, a := range e.arrays[:n] {
		names = append(names, fmt.Sprintf("fa%d", i))
		fmt.Fprintf(&stanzas, "[fa%d]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = gold\nsan_ip = %s\ndriver_ssl_cert_verify = true\ndriver_ssl_cert_path = %s\n",
			i, e.server.Addr(a.Name()), e.path("ca.pem"))
		if !strings.Contains(strings.Join(more, "\n"), "token_") {
			fmt.Fprintf(&stanzas, "pure_api_token = %s\n", tokenOf(a.Name()))
		}
		for _, line := range more {
			fmt.Fprintln(&stanzas, line)
		}
	}
	e.write("cinder.conf", fmt.Sprintf(
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
func (e *environment) run(ctx context.Context, args ...string) (stdout, stderr *safeBuffer, done <-chan error) {
	e.t.Helper()
	stdout, stderr = &safeBuffer{}, &safeBuffer{}
	root := newRootCommandWith(&rootFlags{fileInterval: fileInterval})
	root.SetArgs(append([]string{"--config-file", e.path("cinder.conf")}, args...))
	root.SetOut(stdout)
	root.SetErr(stderr)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	return stdout, stderr, ended
}

// agent runs the agent until the test ends and returns its log.
func (e *environment) agent(args ...string) (log *safeBuffer, stop func()) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(e.t.Context())
	_, log, done := e.run(ctx, args...)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			e.t.Errorf("the agent ended with %v", err)
		}
	})
	e.t.Cleanup(stop)
	return log, stop
}

// command runs a command to its end.
func (e *environment) command(args ...string) (stdout, stderr string, code int) {
	e.t.Helper()
	out, errs, done := e.run(e.t.Context(), args...)
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
func (e *environment) await(what string, happened func() bool) {
	e.t.Helper()
	deadline := time.NewTimer(maxWait)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-deadline.C:
			e.t.Fatalf("%s did not happen within %s", what, maxWait)
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
