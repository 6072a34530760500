package rabbitmq

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/process"
)

// ctlBound is how long a rabbitmqctl command may take. It takes a second or two; the
// rest is for a busy machine.
const ctlBound = 2 * time.Minute

// Queue is a queue of the virtual host as rabbitmqctl lists it.
type Queue struct {
	Name                           string
	Durable, AutoDelete, Exclusive bool
	Messages, Consumers            int
}

// Exchange is an exchange of the virtual host as rabbitmqctl lists it. The
// broker's own (amq.*, and the default one without a name) are left out.
type Exchange struct {
	Name, Type          string
	Durable, AutoDelete bool
}

// Ctl runs rabbitmqctl and returns what it printed. The test stops if the
// command is refused.
func (b *Broker) Ctl(args ...string) string {
	b.t.Helper()
	return b.tool("rabbitmqctl", args...)
}

// Drain puts a node of a cluster into maintenance: it closes its connections and
// accepts none.
func (b *Broker) Drain() { b.t.Helper(); b.runUntilDone("rabbitmq-upgrade", "drain") }

// Revive ends a Drain.
func (b *Broker) Revive() { b.t.Helper(); b.tool("rabbitmq-upgrade", "revive") }

// CloseConnections closes the connections of a user.
func (b *Broker) CloseConnections(user, reason string) {
	b.t.Helper()
	b.runUntilDone("rabbitmqctl", "close_all_user_connections", user, reason)
}

// runUntilDone runs a tool that closes connections. If one of them ends by itself
// meanwhile, the tool fails before it has closed the others, and is run again.
func (b *Broker) runUntilDone(name string, args ...string) {
	b.t.Helper()
	process.Await(b.t, ctlBound, name+" "+args[0]+" to succeed", func() error {
		out, err := b.run(name, args...)
		if err != nil && !strings.Contains(out, "{:gen_server, :call") {
			b.t.Fatalf("run %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return err
	})
}

// notStarted is what a tool prints, with exit code 64, if the broker's application is not
// running.
const notStarted = "requires the 'rabbit' app to be running"

// tool runs a command line tool of RabbitMQ. The test stops if that fails. A broker that
// starts accepts connections before its tools regard it as running, and on a busy machine
// long before: then the tool is run again.
func (b *Broker) tool(name string, args ...string) (out string) {
	b.t.Helper()
	process.Await(b.t, ctlBound, name+" "+args[0]+" on a running broker", func() (err error) {
		out, err = b.run(name, args...)
		if err != nil && !strings.Contains(out, notStarted) {
			b.t.Fatalf("run %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return err
	})
	return out
}

func (b *Broker) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ctlBound)
	defer cancel()
	all := b.args(append([]string{toolFolder + name, "--quiet", "-n", b.node}, args...)...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = append(os.Environ(), b.environment()...)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Queues lists the queues of the virtual host.
func (b *Broker) Queues() []Queue {
	b.t.Helper()
	var queues []Queue
	for _, f := range b.rows("list_queues", "name", "durable", "auto_delete", "exclusive", "messages", "consumers") {
		queues = append(queues, Queue{
			Name: f[0], Durable: f[1] == "true", AutoDelete: f[2] == "true", Exclusive: f[3] == "true",
			Messages: b.number(f[4]), Consumers: b.number(f[5]),
		})
	}
	return queues
}

// Exchanges lists the exchanges of the virtual host that a client made.
func (b *Broker) Exchanges() []Exchange {
	b.t.Helper()
	var exchanges []Exchange
	for _, f := range b.rows("list_exchanges", "name", "type", "durable", "auto_delete") {
		if f[0] != "" && !strings.HasPrefix(f[0], "amq.") {
			exchanges = append(exchanges, Exchange{Name: f[0], Type: f[1], Durable: f[2] == "true", AutoDelete: f[3] == "true"})
		}
	}
	return exchanges
}

// Bound lists the queues that are bound to an exchange of the virtual host.
func (b *Broker) Bound(exchange string) []string {
	b.t.Helper()
	var queues []string
	for _, f := range b.rows("list_bindings", "source_name", "destination_name") {
		if f[0] == exchange {
			queues = append(queues, f[1])
		}
	}
	return queues
}

// Consumers is how many consumers a queue has, 0 where there is no such queue. It
// uses AMQP, which is faster than rabbitmqctl.
func (b *Broker) Consumers(queue string) int {
	b.t.Helper()
	c, err := amqp091.Dial(b.URL())
	if err != nil {
		b.t.Fatalf("count the consumers of %s: %v", queue, err)
	}
	defer func() { _ = c.Close() }()
	ch, err := c.Channel()
	if err != nil {
		b.t.Fatalf("count the consumers of %s: %v", queue, err)
	}
	q, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
	if err != nil {
		return 0
	}
	return q.Consumers
}

// Running are the names of the cluster's nodes that this one sees running.
func (b *Broker) Running() []string {
	b.t.Helper()
	var status struct {
		Nodes []string `json:"running_nodes"`
	}
	if err := json.Unmarshal([]byte(b.Ctl("cluster_status", "--formatter", "json")), &status); err != nil {
		b.t.Fatalf("read the cluster's status: %v", err)
	}
	return status.Nodes
}

// Block makes the broker send connection.blocked to all publishers, as it does when
// it runs out of memory.
func (b *Broker) Block() {
	b.t.Helper()
	b.requireOwn()
	b.Ctl("set_vm_memory_high_watermark", "absolute", "1MB")
}

// Unblock ends a Block.
func (b *Broker) Unblock() {
	b.t.Helper()
	b.Ctl("set_vm_memory_high_watermark", "0.4")
}

// rows runs a listing command and splits each line at its tabs.
func (b *Broker) rows(command string, columns ...string) [][]string {
	b.t.Helper()
	out := b.Ctl(append([]string{"--no-table-headers", command, "-p", b.VHost()}, columns...)...)
	var rows [][]string
	for line := range strings.Lines(out) {
		if fields := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(fields) == len(columns) {
			rows = append(rows, fields)
		}
	}
	return rows
}

func (b *Broker) number(text string) int {
	b.t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		b.t.Fatalf("read a number of rabbitmqctl: %v", err)
	}
	return n
}

// VHosts makes virtual hosts in which the broker's user has all permissions, with one
// command.
func (b *Broker) VHosts(t process.T, names ...string) {
	t.Helper()
	type object map[string]string
	definitions := map[string][]object{}
	for _, name := range names {
		definitions["vhosts"] = append(definitions["vhosts"], object{"name": name})
		definitions["permissions"] = append(definitions["permissions"], object{
			"user": b.opts.User, "vhost": name, "configure": ".*", "write": ".*", "read": ".*",
		})
	}
	text, err := json.Marshal(definitions)
	if err != nil {
		t.Fatalf("encode virtual hosts: %v", err)
	}
	file := "definitions-" + names[0] + ".json"
	in := b.In(t, "") // so that a failure is that of the test
	in.write(file, string(text))
	in.Ctl("import_definitions", b.path(file))
}
