package rabbitmq

import (
	"net"
	"sync"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/process"
)

// dialBound is how long Dial tries, with a broker that is starting or busy.
const dialBound = 90 * time.Second

// Dial connects to a broker until the test ends. It tries again for a while where
// the broker refuses.
func Dial(t process.T, url string) *amqp091.Connection {
	t.Helper()
	var c *amqp091.Connection
	process.Await(t, dialBound, "a connection", func() (err error) {
		c, err = amqp091.DialConfig(url, amqp091.Config{Dial: amqp091.DefaultDial(10 * time.Second)})
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Channel opens a channel, which ends with its connection.
func Channel(t process.T, c *amqp091.Connection) *amqp091.Channel {
	t.Helper()
	ch, err := c.Channel()
	if err != nil {
		t.Fatalf("open a channel: %v", err)
	}
	return ch
}

// Proxy forwards connections to a broker, delays them and cuts them.
type Proxy struct {
	listener net.Listener
	target   string
	delay    time.Duration

	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

// StartProxy listens on a free port of an IP address and forwards to host:port
// until the test ends. All data arrive later by the delay, in both directions.
func StartProxy(t process.T, ip, target string, delay time.Duration) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatalf("listen as a proxy: %v", err)
	}
	p := &Proxy{listener: l, target: target, delay: delay}
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
	})
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go p.accept(from)
		}
	}()
	return p
}

// Addr is the host:port on which the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) accept(from net.Conn) {
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = from.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = from.Close()
		_ = to.Close()
		return
	}
	p.conns = append(p.conns, from, to)
	go forward(to, from, p.delay)
	go forward(from, to, p.delay)
}

// forward copies what is read from a connection to another, and closes both.
func forward(to, from net.Conn, delay time.Duration) {
	type chunk struct {
		data []byte
		due  time.Time
	}
	chunks := make(chan chunk, 1<<16)
	go func() {
		defer close(chunks)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				chunks <- chunk{data[:n], time.Now().Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range chunks {
		<-time.After(time.Until(c.due))
		if _, err := to.Write(c.data); err != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
}

// Cut closes all connections and, until Restore, every new one.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// Restore ends a Cut.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
