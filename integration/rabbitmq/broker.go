package rabbitmq

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/process"
)

// startBound is how long a broker may take to accept connections. It takes five
// seconds; the rest is for a busy machine.
const startBound = 90 * time.Second

// Options say how a broker differs from the default.
type Options struct {
	User     string // default guest
	Password string // default guest
	TLS      bool   // listen for TLS too, with a certificate of a CA of its own

	// Host is where the broker runs, with the RabbitMQ of the host's root; nil is
	// this machine, with its own.
	Host *network.Host
	// Root is a Debian root with the RabbitMQ to run on this machine, prepared by
	// network.Root; "" is this machine's own.
	Root string
}

// Broker is a private RabbitMQ. Its methods are for the test's goroutine.
type Broker struct {
	t        process.T
	opts     Options
	vhost    string // "" is the virtual host "/"
	shared   bool   // with other tests
	dir      string
	node     string
	peers    []*Broker        // of its cluster, itself among them
	names    *process.Process // epmd, where Erlang programs find each other
	runs     *runs
	port     int
	tlsPort  int
	distPort int
	epmdPort int
}

// runs are the processes of a broker, one after the other. All views of the broker
// share them, and they end with the test that first started it.
type runs struct {
	t    process.T
	last *process.Process
}

// Start runs a broker and returns when it accepts connections.
func Start(t process.T, opts Options) *Broker {
	t.Helper()
	b := newBroker(t, opts)
	b.peers = []*Broker{b}
	b.writeFiles()
	b.startNames()
	b.Start()
	return b
}

// StartCluster runs a broker on each host, all nodes of one cluster, and returns
// them when all accept connections.
func StartCluster(t process.T, opts Options, hosts ...*network.Host) []*Broker {
	t.Helper()
	var nodes []*Broker
	for _, h := range hosts {
		opts.Host = h
		nodes = append(nodes, newBroker(t, opts))
	}
	for _, b := range nodes {
		b.peers = nodes
		b.writeFiles()
		b.startNames()
		b.launch()
	}
	for _, b := range nodes {
		b.awaitStart()
	}
	process.Await(t, startBound, "the nodes to be one cluster", func() error {
		if running := nodes[0].Running(); len(running) != len(nodes) {
			return fmt.Errorf("only %v run", running)
		}
		return nil
	})
	return nodes
}

func newBroker(t process.T, opts Options) *Broker {
	t.Helper()
	if opts.User == "" {
		opts.User, opts.Password = "guest", "guest"
	}
	b := &Broker{t: t, opts: opts, dir: t.TempDir(), runs: &runs{t: t}}
	if opts.Host != nil {
		b.port, b.tlsPort, b.distPort, b.epmdPort = 5672, 5671, 25672, 4369
		b.node = "rabbit@" + opts.Host.Name
		return b
	}
	requireInstalled(t, opts.Root)
	ports := process.Ports(t, 4)
	b.port, b.tlsPort, b.distPort, b.epmdPort = ports[0], ports[1], ports[2], ports[3]
	b.node = fmt.Sprintf("poolcast%d@localhost", b.port)
	return b
}

// args are the arguments that run a program where the broker runs.
func (b *Broker) args(args ...string) []string {
	if b.opts.Host == nil {
		return network.Enter(b.opts.Root, args...)
	}
	return b.opts.Host.Args(args...)
}

// ip is the address on which the broker listens.
func (b *Broker) ip() string {
	if b.opts.Host == nil {
		return "127.0.0.1"
	}
	return b.opts.Host.Address
}

// startNames runs the Erlang name server and waits for it: an Erlang program that
// finds none starts one as a daemon, which would outlive the test.
func (b *Broker) startNames() {
	b.t.Helper()
	b.names = process.Start(b.t, process.Command{
		Name: "epmd",
		Args: b.args("epmd", "-address", b.ip(), "-port", strconv.Itoa(b.epmdPort)),
	})
	process.Await(b.t, startBound, "epmd to listen", func() error {
		if !b.names.Running() {
			b.t.Fatalf("start a broker: %s", b.names.Exit())
		}
		c, err := net.DialTimeout("tcp", b.address(b.epmdPort), time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// Start runs a stopped broker again, with the ports and the data it had.
func (b *Broker) Start() {
	b.t.Helper()
	b.launch()
	b.awaitStart()
}

func (b *Broker) launch() {
	b.t.Helper()
	b.runs.last = process.Start(b.runs.t, process.Command{
		Name: "rabbitmq",
		Args: b.args(serverScript),
		Env:  b.environment(),
		Dir:  b.dir,
	})
}

func (b *Broker) awaitStart() {
	b.t.Helper()
	process.Await(b.t, startBound, "RabbitMQ to accept connections", func() error {
		if !b.runs.last.Running() {
			b.t.Fatalf("start a broker: %s", b.runs.last.Exit())
		}
		return b.ready()
	})
}

// ready opens and closes a connection, which works only after the last step of
// the broker's start.
func (b *Broker) ready() error {
	c, err := amqp091.DialConfig(b.URL(), amqp091.Config{Dial: amqp091.DefaultDial(2 * time.Second)})
	if err != nil {
		return err
	}
	if b.opts.TLS {
		var s net.Conn
		if s, err = net.DialTimeout("tcp", b.address(b.tlsPort), 2*time.Second); err == nil {
			err = s.Close()
		}
	}
	return errors.Join(err, c.Close())
}

// Stop ends the broker in order: it closes the connections of clients.
func (b *Broker) Stop() {
	b.t.Helper()
	b.requireOwn()
	b.runs.last.Stop()
}

// Kill ends the broker at once: clients see a broken connection, and what was
// declared in the last moments may be lost, durable or not.
func (b *Broker) Kill() {
	b.t.Helper()
	b.requireOwn()
	b.runs.last.Kill()
}

// Restart stops the broker and starts it again.
func (b *Broker) Restart() {
	b.t.Helper()
	b.Stop()
	b.Start()
}

// Freeze stops the broker's process without closing anything. Only a heartbeat or a
// time-out detects it.
func (b *Broker) Freeze() {
	b.t.Helper()
	b.requireOwn()
	b.runs.last.Signal(syscall.SIGSTOP)
}

// Thaw ends a freeze.
func (b *Broker) Thaw() { b.runs.last.Signal(syscall.SIGCONT) }

// URL is where to connect in plain text, with user, password and virtual host.
func (b *Broker) URL() string { return b.url("amqp", b.port) }

// TLSURL is where to connect with TLS.
func (b *Broker) TLSURL() string { return b.url("amqps", b.tlsPort) }

// TransportURL is URL as oslo.messaging spells it in cinder.conf. It names every
// node of a cluster, this one first.
func (b *Broker) TransportURL() string {
	first, path, _ := strings.Cut(strings.TrimPrefix(b.url("rabbit", b.port), "rabbit://"), "/")
	all := []string{first}
	for _, p := range b.peers {
		if p.node != b.node {
			other, _, _ := strings.Cut(strings.TrimPrefix(p.url("rabbit", p.port), "rabbit://"), "/")
			all = append(all, other)
		}
	}
	return "rabbit://" + strings.Join(all, ",") + "/" + path
}

// In is the same broker for another test and with another virtual host. It ends with
// the test that started it.
func (b *Broker) In(t process.T, vhost string) *Broker {
	inside := *b
	inside.t, inside.vhost = t, vhost
	return &inside
}

// VHost is the virtual host.
func (b *Broker) VHost() string { return cmp.Or(b.vhost, "/") }

// Addr is the host:port of the plain listener.
func (b *Broker) Addr() string { return b.address(b.port) }

// TLSAddr is the host:port of the TLS listener.
func (b *Broker) TLSAddr() string { return b.address(b.tlsPort) }

// CAFile is the certificate that the broker's certificate is signed by, in PEM.
func (b *Broker) CAFile() string { return b.path("ca.pem") }

// Log is what the broker wrote to its log so far, and after it what the other
// nodes of its cluster wrote to theirs.
func (b *Broker) Log() string {
	var text strings.Builder
	for _, p := range b.peers {
		data, err := os.ReadFile(p.path("log/" + p.node + ".log"))
		if err != nil {
			b.t.Fatalf("read the broker's log: %v", err)
		}
		text.Write(data)
	}
	return text.String()
}

// LogFolder is where the broker writes its log.
func (b *Broker) LogFolder() string { return b.path("log") }

// Node is the broker's name in its cluster.
func (b *Broker) Node() string { return b.node }

// Host is where the broker runs, nil for this machine.
func (b *Broker) Host() *network.Host { return b.opts.Host }

func (b *Broker) path(name string) string { return filepath.Join(b.dir, name) }

func (b *Broker) url(scheme string, port int) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(b.opts.User, b.opts.Password), Host: b.address(port), Path: "/" + b.vhost}
	return u.String()
}

func (b *Broker) address(port int) string { return net.JoinHostPort(b.ip(), strconv.Itoa(port)) }

// requireInstalled stops the test where RabbitMQ is missing.
func requireInstalled(t process.T, root string) {
	t.Helper()
	if _, err := os.Stat(root + serverScript); err != nil {
		t.Fatalf("RabbitMQ is not installed (%v): run integration/setup, or apt-get install rabbitmq-server", err)
	}
}

// environment makes every file and port of the broker its own.
func (b *Broker) environment() []string {
	const idle = "+sbwt none +sbwtdcpu none +sbwtdio none" // no busy waiting
	// On a busy machine the handshake of a tool with the broker takes more than the
	// usual 7 s.
	distribution := fmt.Sprintf("-start_epmd false -kernel inet_dist_use_interface {%s} -kernel net_setuptime 60",
		strings.ReplaceAll(b.ip(), ".", ","))
	if len(b.peers) > 1 {
		// A node of a cluster that sends nothing for 8 s counts as lost; the usual time
		// is a minute.
		distribution += " -kernel net_ticktime 8"
	}
	return []string{
		"HOME=" + b.path("home"), // where the Erlang cookie is
		"LC_ALL=C.UTF-8",
		"NOTIFY_SOCKET=",
		"ERL_EPMD_ADDRESS=" + b.ip(),
		"ERL_EPMD_PORT=" + strconv.Itoa(b.epmdPort),
		"RABBITMQ_CONF_ENV_FILE=" + b.path("no-such-file"),
		"RABBITMQ_CONFIG_FILE=" + b.path("no-such-file"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + b.path("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + b.path("plugins"),
		"RABBITMQ_FEATURE_FLAGS_FILE=" + b.path("feature_flags"),
		"RABBITMQ_GENERATED_CONFIG_DIR=" + b.path("generated"),
		"RABBITMQ_LOG_BASE=" + b.path("log"),
		"RABBITMQ_MNESIA_BASE=" + b.path("mnesia"),
		"RABBITMQ_QUORUM_DIR=" + b.path("quorum"),
		"RABBITMQ_STREAM_DIR=" + b.path("stream"),
		"RABBITMQ_PID_FILE=" + b.path("pid"),
		"RABBITMQ_PLUGINS_EXPAND_DIR=" + b.path("expanded"),
		"RABBITMQ_NODENAME=" + b.node,
		"RABBITMQ_NODE_PORT=" + strconv.Itoa(b.port),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(b.distPort),
		"RABBITMQ_ALLOW_INPUT=1", // replace the script's process by Erlang
		"RABBITMQ_SERVER_START_ARGS=" + strings.Join([]string{"-noinput", distribution}, " "),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=" + idle,
		"RABBITMQ_CTL_ERL_ARGS=" + distribution,
	}
}
