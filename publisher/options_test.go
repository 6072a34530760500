package publisher

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

type word string

func (w word) Reveal() string { return string(w) }

func TestOptionsNameEveryFault(t *testing.T) {
	for name, tt := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing": {Options{}, []string{"set transport_url"}},
		"good":    {Options{Brokers: []Broker{{Host: "mq1"}}}, nil},
		"many faults": {
			Options{
				Brokers: []Broker{{Port: 1}, {Host: "mq", Port: 70000}}, LoginMethod: "MAGIC",
				TLS: &TLS{CertFile: "a.pem"}, Standalone: true, ListenOnly: true,
			},
			[]string{`":1"`, `"mq:70000"`, "MAGIC", "ssl_key_file", "nothing to do"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tt.o)
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("the error is %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %v", part, err)
				}
			}
		})
	}
}

func TestPasswordsAreNotInNames(t *testing.T) {
	b := Broker{Host: "::1", User: "cinder", Password: word("hush")}
	if got := b.address(); got != "[::1]:5672" || b.password() != "hush" || (Broker{}).password() != "" {
		t.Errorf("the address is %s", got)
	}
	for _, m := range mechanisms(b, "PLAIN") {
		if text := fmt.Sprint(m); strings.Contains(text, "hush") {
			t.Errorf("printed as %s", text)
		}
	}
	if m := mechanisms(b, "EXTERNAL"); len(m) != 1 || m[0].Mechanism() != "EXTERNAL" {
		t.Errorf("the mechanisms are %v", m)
	}
	if m := mechanisms(b, "AMQPLAIN"); m[0].Mechanism() != "AMQPLAIN" || m[1].Mechanism() != "PLAIN" {
		t.Errorf("the mechanisms are %v", m)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for n := range 100 {
		d := backoff(n, time.Hour)
		if longest := min(30*time.Second, 500*time.Millisecond<<min(n, 7)); d < longest/2 || d > longest {
			t.Errorf("after %d failures it waits %s", n, d)
		}
		if d := backoff(n, 10*time.Second); d > 5*time.Second {
			t.Errorf("with an interval of 10 s it waits %s", d)
		}
	}
}

// TestSessionLog checks that trouble that goes on is one line, and that another
// reason for it is no more than one a minute.
func TestSessionIsLoggedOnChange(t *testing.T) {
	var log strings.Builder
	p := newPublisher(Options{Logger: zerolog.New(&log)}.withDefaults(), nil)
	two := 2
	p.logged, p.loggedAt = Session{State: Connecting}, time.Now()
	steps := []struct {
		s    Session
		line bool
	}{
		{Session{State: Connecting, Detail: "refused"}, false},
		{Session{State: Ready, Broker: "a:1"}, true},
		{Session{State: Ready, Broker: "a:1"}, false},
		{Session{State: Ready, Broker: "a:1", Schedulers: &two}, true},
		{Session{State: Connecting, Detail: "lost"}, true},
		{Session{State: Connecting, Detail: "refused"}, false},
		{Session{State: Ready, Broker: "b:1", Schedulers: &two}, true},
	}
	for i, step := range steps {
		before := log.Len()
		p.change(step.s)
		if (log.Len() > before) != step.line {
			t.Errorf("step %d: a line was written: %t", i, log.Len() > before)
		}
	}
	p.change(Session{State: Connecting, Detail: "lost"})
	p.loggedAt = time.Now().Add(-time.Minute)
	before := log.Len()
	p.change(Session{State: Connecting, Detail: "wrong password"})
	if !strings.Contains(log.String()[before:], "wrong password") {
		t.Error("a lasting new reason is never told")
	}
}
