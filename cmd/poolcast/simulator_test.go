package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

func TestSimulatorServesUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	e := &environment{t: t, folder: t.TempDir()}
	write(t, e.path("cinder.conf"), "")
	root := newRootCommand()
	var out safeBuffer
	root.SetOut(&out)
	root.SetArgs([]string{"simulator", "--listen", "127.0.0.1:0", "--ca", e.path("ca.pem")})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	e.await("the table of arrays", out.has("127.0.0.1:"))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "ARRAY") {
		t.Errorf("printed %s", &out)
	}
	if pem, err := os.ReadFile(e.path("ca.pem")); err != nil || !strings.Contains(string(pem), "CERTIFICATE") {
		t.Errorf("the authority's certificate is %q, %v", pem, err)
	}
}

func TestSimulatorRefusesWrongAddresses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--listen", "8443"},
		{"--listen", "127.0.0.1:nothing"},
		{"--fixtures", filepath.Join(t.TempDir(), "none")},
		{"--listen", "127.0.0.1:0", "--ca", filepath.Join(t.TempDir(), "none", "ca.pem")},
	} {
		root := newRootCommand()
		root.SetArgs(append([]string{"simulator"}, args...))
		if err := root.ExecuteContext(t.Context()); exitCode(err) != exit.Config {
			t.Errorf("%v: got %v", args, err)
		}
	}
}
