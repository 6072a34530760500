package rabbitmq

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

// The scripts behind Debian's wrappers: the wrappers change to the user
// rabbitmq, which could not read a test's folder.
const (
	toolFolder   = "/usr/lib/rabbitmq/bin/"
	serverScript = toolFolder + "rabbitmq-server"
)

// writeFiles writes what the broker reads at its start.
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

// writeCertificates makes an authority and, signed by it, the broker's own
// certificate for 127.0.0.1 and localhost.
func (b *Broker) writeCertificates() {
	b.t.Helper()
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "poolcast test authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		IPAddresses:  []net.IP{net.ParseIP(b.ip())},
		DNSNames:     []string{"localhost"},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, serverKey := b.newKey(), b.newKey()
	b.writeCertificate("ca.pem", authority, authority, &authorityKey.PublicKey, authorityKey)
	b.writeCertificate("server.pem", server, authority, &serverKey.PublicKey, authorityKey)
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		b.t.Fatalf("encode the broker's key: %v", err)
	}
	b.write("server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func (b *Broker) newKey() *ecdsa.PrivateKey {
	b.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatalf("make a key: %v", err)
	}
	return key
}

func (b *Broker) writeCertificate(name string, c, issuer *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) {
	b.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, public, signer)
	if err != nil {
		b.t.Fatalf("sign %s: %v", name, err)
	}
	b.write(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}
