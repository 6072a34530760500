package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root prepares a Debian root for the programs of a test: they see the processes
// and devices of this machine, the folder for temporary files under its own
// name, and every host of the network by its name. It returns the root. All of it
// is mounted in the namespace of the test and gone with it.
func Root(t testing.TB, root string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, "usr/bin/env")); err != nil {
		t.Fatalf("use the Debian root %s: %v; integration/roots makes it", root, err)
	}
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte(hostsFile(t)), 0o644); err != nil {
		t.Fatalf("write the hosts' names: %v", err)
	}
	temporary := os.TempDir()
	if err := os.MkdirAll(filepath.Join(root, temporary), 0o755); err != nil {
		t.Fatalf("prepare the root %s: %v", root, err)
	}
	mount(t, filepath.Join(root, "proc"), "-t", "proc", "proc")
	mount(t, filepath.Join(root, "dev"), "--rbind", "/dev")
	mount(t, filepath.Join(root, temporary), "--bind", temporary)
	mount(t, filepath.Join(root, "etc/hosts"), "--bind", hosts)
	return root
}

// mount mounts something until the test has ended.
func mount(t testing.TB, where string, what ...string) {
	t.Helper()
	run(t, "mount", append(what, where)...)
	t.Cleanup(func() { run(t, "umount", "--lazy", where) })
}

// hostsFile has every name that a host may have, and that of this machine.
func hostsFile(t testing.TB) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatalf("ask for this machine's name: %v", err)
	}
	var lines strings.Builder
	fmt.Fprintf(&lines, "127.0.0.1 localhost %s\n", name)
	for number := 1; number <= maxHosts; number++ {
		fmt.Fprintf(&lines, "%s n%d\n", addressOf(number), number)
	}
	return lines.String()
}

// Enter are the arguments that run a program of a root, of this machine if that
// is "".
func Enter(root string, args ...string) []string {
	if root == "" {
		return args
	}
	return append([]string{"chroot", root}, args...)
}
