package rabbitmq

import (
	"fmt"
	"os"
	"strings"
)

// The scripts behind Debian's wrappers: the wrappers change to the user
// rabbitmq, which could not read a test's folder.
const (
	toolFolder   = "/usr/lib/rabbitmq/bin/"
	serverScript = toolFolder + "rabbitmq-server"
)

// writeFiles puts down what the broker reads at its start.
func (b *Broker) writeFiles() {
	b.t.Helper()
	if err := os.Mkdir(b.path("home"), 0o700); err != nil {
		b.t.Fatalf("make the broker's folder: %v", err)
	}
	b.write("home/.erlang.cookie", "poolcast") // nodes of a cluster have the same
	b.write("plugins", "[].\n")
	b.write("advanced.config", b.settings())
	if b.opts.TLS {
		b.writeCertificates()
	}
}

// settings are Erlang terms rather than rabbitmq.conf, which takes a second to
// translate.
func (b *Broker) settings() string {
	rabbit := []string{
		fmt.Sprintf(`{tcp_listeners, [{%s, %d}]}`, erlang(b.ip()), b.port),
		fmt.Sprintf(`{default_user, <<%s>>}`, erlang(b.opts.User)),
		fmt.Sprintf(`{default_pass, <<%s>>}`, erlang(b.opts.Password)),
	}
	if len(b.peers) > 1 {
		var names []string
		for _, p := range b.peers {
			names = append(names, p.node)
		}
		rabbit = append(rabbit,
			fmt.Sprintf(`{cluster_nodes, {[%s], disc}}`, strings.Join(names, ", ")),
			`{cluster_partition_handling, pause_minority}`)
	}
	if b.opts.TLS {
		rabbit = append(rabbit,
			fmt.Sprintf(`{ssl_listeners, [{%s, %d}]}`, erlang(b.ip()), b.tlsPort),
			fmt.Sprintf(`{ssl_options, [{cacertfile, %s}, {certfile, %s}, {keyfile, %s}, {verify, verify_none}]}`,
				erlang(b.path("ca.pem")), erlang(b.path("server.pem")), erlang(b.path("server.key"))))
	}
	return "[{rabbit, [\n  " + strings.Join(rabbit, ",\n  ") + "\n]}].\n"
}

// erlang quotes a text as an Erlang string.
func erlang(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func (b *Broker) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
		b.t.Fatalf("write the broker's %s: %v", name, err)
	}
}
