package network

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

const (
	bridge = "br0"
	prefix = "192.0.2." // TEST-NET-1
	// gateway is the test program's own address on the bridge.
	gateway = prefix + "1"
	// maxHosts leaves the addresses below 11 alone.
	firstHost, maxHosts = 11, 200
)

// Network is a bridge with hosts on it. Its methods may be called by parallel
// tests.
type Network struct {
	mu   sync.Mutex
	next int
}

// New makes the bridge. The test stops where it runs in the network namespace of the
// machine.
func New(t process.T) *Network {
	t.Helper()
	requirePrivate(t)
	run(t, "ip", "link", "set", "lo", "up")
	run(t, "ip", "link", "add", bridge, "type", "bridge")
	run(t, "ip", "address", "add", gateway+"/24", "dev", bridge)
	run(t, "ip", "link", "set", bridge, "up")
	t.Cleanup(func() { run(t, "ip", "link", "delete", bridge) })
	return &Network{}
}

// requirePrivate stops the test where an interface other than loopback is up, which
// belongs to the machine.
func requirePrivate(t process.T) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatalf("list network interfaces: %v", err)
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			t.Fatalf("the interface %s belongs to this machine's own network: run make brokers, which makes namespaces for the test", i.Name)
		}
	}
}

// Host is a network namespace with one address.
type Host struct {
	Name    string // n1, n2, …; a root's /etc/hosts has it
	Address string
	root    string
	port    string // the bridge's end of its link
	holder  *process.Process
	t       process.T
}

// Host adds a host that runs programs of a root, or of this machine if that is
// "". It is removed with the test.
func (n *Network) Host(t process.T, root string) *Host {
	t.Helper()
	n.mu.Lock()
	n.next++
	number := n.next
	n.mu.Unlock()
	if number > maxHosts {
		t.Fatalf("add a host: the network has %d already", maxHosts)
	}
	h := &Host{t: t, root: root, Name: fmt.Sprintf("n%d", number), Address: addressOf(number), port: fmt.Sprintf("port%d", number)}
	h.holder = process.Start(t, process.Command{Name: "host-" + h.Name, Args: []string{"unshare", "--net", "sleep", "infinity"}})
	process.Await(t, time.Minute, "a network namespace", h.separate)
	pid := fmt.Sprint(h.holder.Pid())
	run(t, "ip", "link", "add", h.port, "type", "veth", "peer", "name", "eth0", "netns", pid)
	run(t, "ip", "link", "set", h.port, "master", bridge, "up")
	h.run("ip", "address", "add", h.Address+"/24", "dev", "eth0")
	h.run("ip", "link", "set", "eth0", "up")
	h.run("ip", "link", "set", "lo", "up")
	return h
}

// addressOf is the address of the host with a number.
func addressOf(number int) string { return fmt.Sprintf("%s%d", prefix, firstHost+number-1) }

// separate returns an error until the host has a namespace of its own.
func (h *Host) separate() error {
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", h.holder.Pid()))
	if err == nil && its == ours {
		err = errors.New("it is the one of the test")
	}
	return err
}

// Args are the arguments that run a program of the host's root on the host. The
// program must be an absolute path, or in the usual folders.
func (h *Host) Args(args ...string) []string {
	enter := []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", h.holder.Pid())}
	return append(enter, Enter(h.root, args...)...)
}

// Disconnect takes the host's link down: packets are lost without an error.
func (h *Host) Disconnect() { h.t.Helper(); run(h.t, "ip", "link", "set", h.port, "down") }

// Connect ends a Disconnect.
func (h *Host) Connect() { h.t.Helper(); run(h.t, "ip", "link", "set", h.port, "up") }

// Part separates this host from another, while both still reach all others.
func (h *Host) Part(other *Host) {
	h.t.Helper()
	h.run("ip", "route", "add", "blackhole", other.Address+"/32")
	other.run("ip", "route", "add", "blackhole", h.Address+"/32")
}

// Join ends a Part.
func (h *Host) Join(other *Host) {
	h.t.Helper()
	h.run("ip", "route", "delete", "blackhole", other.Address+"/32")
	other.run("ip", "route", "delete", "blackhole", h.Address+"/32")
}

// run runs a command of this machine in the host's namespace.
func (h *Host) run(args ...string) {
	h.t.Helper()
	run(h.t, "nsenter", append([]string{fmt.Sprintf("--net=/proc/%d/ns/net", h.holder.Pid())}, args...)...)
}

func run(t process.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("run %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// Root prepares a Debian root for the programs of a test: it mounts the processes and
// devices of this machine, the folder for temporary files under its own name, and a
// file with the names of all hosts of the network. It returns the root. The mounts are
// in the namespace of the test and end with it.
func Root(t process.T, root string) string {
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
func mount(t process.T, where string, what ...string) {
	t.Helper()
	run(t, "mount", append(what, where)...)
	t.Cleanup(func() { run(t, "umount", "--lazy", where) })
}

// hostsFile has the names of all possible hosts, and that of this machine.
func hostsFile(t process.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatalf("read this machine's name: %v", err)
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
