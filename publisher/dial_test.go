package publisher

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestRetryAfter checks the waits against those of oslo.messaging, of which half
// is chance here.
func TestRetryAfter(t *testing.T) {
	cinder := Options{RetryInterval: time.Second, RetryBackoff: 2 * time.Second, RetryMax: 30 * time.Second}
	slow := Options{RetryInterval: 4 * time.Second, RetryBackoff: 10 * time.Second, RetryMax: 20 * time.Second}
	long := Options{RetryInterval: time.Hour, RetryMax: 2 * time.Hour}
	for _, tt := range []struct {
		name string
		o    Options
		n    int
		most time.Duration
	}{
		{"first, defaults of cinder.conf", cinder, 1, time.Second},
		{"second, defaults of cinder.conf", cinder, 2, 3 * time.Second},
		{"tenth, defaults of cinder.conf", cinder, 10, 19 * time.Second},
		{"longest, defaults of cinder.conf", cinder, 100, 30 * time.Second},
		{"after years", cinder, 1 << 40, 30 * time.Second},
		{"first, other options", slow, 1, 4 * time.Second},
		{"second, other options", slow, 2, 14 * time.Second},
		{"longest, other options", slow, 3, 20 * time.Second},
		{"never more than half a minute", long, 1, 30 * time.Second},
		{"nothing configured", Options{}, 5, time.Second},
	} {
		for range 100 {
			if d := tt.o.withDefaults().retryAfter(tt.n); d < tt.most/2 || d > tt.most {
				t.Errorf("%s: it waits %s, want %s to %s", tt.name, d, tt.most/2, tt.most)
			}
		}
	}
}

// TestReconnectAfter: kombu_reconnect_delay is the wait after a loss, unless
// losses follow one another.
func TestReconnectAfter(t *testing.T) {
	o := Options{ReconnectDelay: 4 * time.Second, RetryInterval: time.Second}.withDefaults()
	for range 100 {
		if d := o.reconnectAfter(time.Hour, 1); d < 2*time.Second || d > 4*time.Second {
			t.Errorf("after an hour it waits %s", d)
		}
		if d := o.reconnectAfter(time.Second, 1); d > time.Second {
			t.Errorf("after a second it waits %s", d)
		}
	}
	if d := (Options{}).withDefaults().reconnectAfter(time.Hour, 1); d != 0 {
		t.Errorf("without a delay it waits %s", d)
	}
}

// TestHostOrder tries hosts that refuse: each once a round, in the same order
// each time with round-robin, in another with shuffle.
func TestHostOrder(t *testing.T) {
	var brokers []Broker
	for i := range 8 {
		brokers = append(brokers, Broker{Host: fmt.Sprintf("127.0.0.%d", i+1), Port: 1})
	}
	order := func(o Options) (rounds [][]Broker) {
		o.Brokers = brokers
		d := newDialer(o.withDefaults())
		for range 5 {
			_, err := d.open(t.Context())
			if err == nil || strings.Count(err.Error(), "refused") != len(brokers) || !strings.HasPrefix(err.Error(), "127.0.0.1:1: ") {
				t.Fatalf("the error is %v", err)
			}
			rounds = append(rounds, slices.Concat(d.hosts[d.next:], d.hosts[:d.next]))
		}
		return rounds
	}
	differs := func(a, b []Broker) bool { return !slices.Equal(a, b) }
	robin := order(Options{})
	if i := slices.IndexFunc(robin, func(r []Broker) bool { return differs(r, robin[0]) }); i >= 0 {
		t.Errorf("round-robin: %v, then %v", robin[0], robin[i])
	}
	shuffled := order(Options{Shuffle: true})
	if !slices.ContainsFunc(shuffled, func(r []Broker) bool { return differs(r, shuffled[0]) }) {
		t.Errorf("shuffle: always %v", shuffled[0]) // by chance once in 8!⁴ runs
	}
}

// TestExplain checks that an error is the reason of the broker or the network, and
// is the same as long as the fault is.
func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&amqp.Error{Code: 320, Reason: "CONNECTION_FORCED - user 'cinder' is deleted", Server: true}, "CONNECTION_FORCED - user 'cinder' is deleted"},
		{&amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:41234->127.0.0.1:5672: read: connection reset by peer"}, "read: connection reset by peer"},
		{&amqp.Error{Code: 501, Reason: "EOF"}, "the broker closed it without a reason"},
		{errors.New("anything"), "anything"},
	} {
		if got := explain(tt.err).Error(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

// TestClientCertificate shows a broker that insists on it our certificate.
func TestClientCertificate(t *testing.T) {
	cert, key, pair := selfSigned(t, "mq1")
	trusted := x509.NewCertPool()
	trusted.AddCert(pair.Leaf)
	broker := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert}
	for name, tt := range map[string]struct {
		options TLS
		good    bool
	}{
		"shown":     {TLS{CAFile: cert, CertFile: cert, KeyFile: key}, true},
		"not shown": {TLS{CAFile: cert}, false},
	} {
		config, err := tt.options.client("mq1")
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, tls.Client(ours, config)) }()
		err = tls.Server(theirs, broker).Handshake()
		if (err == nil) != tt.good {
			t.Errorf("%s: the handshake ends with %v", name, err)
		}
		_, _ = ours.Close(), theirs.Close()
	}
	if _, err := (&TLS{CertFile: key, KeyFile: cert}).client("mq1"); err == nil || !strings.Contains(err.Error(), "ssl_cert_file") {
		t.Errorf("certificate and key are the wrong way round: %v", err)
	}
}

// selfSigned writes a certificate that may be server, client and authority.
func selfSigned(t *testing.T, name string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certFile, "CERTIFICATE", der)
	write(keyFile, "PRIVATE KEY", secret)
	if pair, err = tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile, pair
}

// sessionStates receives the states of a session.
type sessionStates chan Session

func (sessionStates) onMessage([]byte)      {}
func (s sessionStates) onSession(n Session) { s <- n }

// TestSessionUnreachableBroker runs a session whose only broker refuses the
// connection: it tries again, and nothing can be published.
func TestSessionUnreachableBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	o := Options{Brokers: []Broker{{Host: "127.0.0.1", Port: port}}, RetryInterval: time.Millisecond}.withDefaults()
	s, states := newSession(o), make(sessionStates)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx, states) }()
	for range 3 {
		got := <-states
		if got.State != Connecting || got.Broker != "" || got.Schedulers != nil || !strings.Contains(got.Detail, "connection refused") {
			t.Errorf("the session is %+v", got)
		}
	}
	s.Rebind()
	s.Rebind() // does not block
	if errs := s.Publish(ctx, make([]outgoing, 2)); len(errs) != 2 || !errors.Is(errs[0], errNotConnected) || !errors.Is(errs[1], errNotConnected) {
		t.Errorf("published with %v", errs)
	}
	cancel()
	select {
	case <-states:
		<-done
	case <-done:
	}
}

// TestSchedulerCount: bases received before the last count without a change are
// not used after one.
func TestSchedulerCount(t *testing.T) {
	s := newSession(Options{}.withDefaults())
	begun := time.Now()
	for i, c := range []struct {
		count int
		bases time.Duration // basesFrom after the count, zero if none
	}{{2, 0}, {2, 0}, {1, time.Second}, {1, time.Second}, {2, 3 * time.Second}} {
		s.setSchedulers(c.count, begun.Add(time.Duration(i)*time.Second))
		want := time.Time{}
		if c.bases > 0 {
			want = begun.Add(c.bases)
		}
		if *s.schedulers != c.count || !s.basesFrom.Equal(want) {
			t.Errorf("count %d: %d schedulers, bases from %s, want %s", i, *s.schedulers, s.basesFrom, want)
		}
	}
}

func TestErrorsOfTheBroker(t *testing.T) {
	if err := errOrClosed(nil); !errors.Is(err, amqp.ErrClosed) {
		t.Errorf("a clean close is %v", err)
	}
	missing := &amqp.Error{Code: amqp.NotFound, Reason: "no queue"}
	if err := errOrClosed(missing); !notFound(err) || unlessNotFound(err) != nil {
		t.Errorf("a missing queue is %v", err)
	}
	for want, err := range map[string]error{
		"user or the password is wrong": amqp.ErrCredentials,
		"closed the connection during":  amqp.ErrVhost,
		"no queue":                      missing,
	} {
		if got := loginError(err); !strings.Contains(got.Error(), want) {
			t.Errorf("%v is explained as %v, want %s", err, got, want)
		}
	}
	for method, want := range map[string]string{"PLAIN": "PLAIN", "AMQPLAIN": "AMQPLAIN", "EXTERNAL": "EXTERNAL"} {
		if got := mechanisms(Broker{User: "u"}, method)[0].Mechanism(); got != want {
			t.Errorf("%s logs in by %s first", method, got)
		}
	}
}

// TestReasonBeforeReset: a peer sends a reason and resets the connection. No write fails
// then, and the reason is read.
func TestReasonBeforeReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		peer, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = peer.Read(make([]byte, 1)) // the client is connected
		_, _ = peer.Write([]byte("maintenance"))
		_ = peer.(*net.TCPConn).SetLinger(0)
		_ = peer.Close()
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	for err == nil { // until the reset has come
		_, err = conn.Write([]byte("x"))
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	if n, err := (endedByReading{conn}).Write([]byte("close-ok")); n != len("close-ok") || err != nil {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	text, err := io.ReadAll(endedByReading{conn})
	if string(text) != "maintenance" || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %q, %v", text, err)
	}
	_ = conn.SetWriteDeadline(time.Unix(1, 0))
	if _, err := (endedByReading{conn}).Write([]byte("x")); err == nil {
		t.Error("a write after its deadline does not fail")
	}
}
