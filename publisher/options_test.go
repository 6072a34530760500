package publisher

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

type word string

func (w word) Reveal() string { return string(w) }

func TestOptionsReportAllFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing": {Options{}, []string{"set transport_url"}},
		"good":    {Options{Brokers: []Broker{{Host: "mq1"}}}, nil},
		"many faults": {
			Options{
				Brokers: []Broker{{Port: 1}, {Host: "mq", Port: 70000}}, LoginMethod: "MAGIC",
				Standalone: true, ListenOnly: true,
			},
			[]string{`":1"`, `"mq:70000"`, "MAGIC", "nothing to do"},
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

func TestAddressHasNoPassword(t *testing.T) {
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

// TestSessionIsLoggedOnChange checks that a state that goes on is one line, and
// each new reason for it another.
func TestSessionIsLoggedOnChange(t *testing.T) {
	var log strings.Builder
	p := newPublisher(Options{Logger: zerolog.New(&log)}.withDefaults(), nil)
	one, two := 1, 2
	for i, step := range []struct {
		s    Session
		line string // "" is none
	}{
		{Session{State: Connecting, Detail: "refused"}, "refused"},
		{Session{State: Connecting, Detail: "refused"}, ""},
		{Session{State: Ready, Broker: "a:1"}, "publishing"},
		{Session{State: Ready, Broker: "a:1"}, ""},
		{Session{State: Ready, Broker: "a:1", Schedulers: &two}, "number of schedulers"},
		{Session{State: Blocked, Broker: "a:1", Detail: "memory"}, "blocked"},
		{Session{State: Ready, Broker: "a:1"}, "publishing"},
		{Session{State: Ready, Broker: "a:1", Schedulers: &two}, ""},
		{Session{State: Connecting, Detail: "the connection was lost"}, "lost"},
		{Session{State: Connecting, Detail: "user deleted"}, "user deleted"},
		{Session{State: Connecting, Detail: "the connection was lost"}, ""},
		{Session{State: Connecting, Detail: "user deleted"}, ""},
		{Session{State: Ready, Broker: "b:1", Schedulers: &two}, "publishing"},
		{Session{State: Ready, Broker: "b:1", Schedulers: &one}, "number of schedulers"},
		{Session{State: Connecting, Detail: "the connection was lost"}, "lost"},
	} {
		before := log.Len()
		p.onSession(step.s)
		if added := log.String()[before:]; (added != "") != (step.line != "") || !strings.Contains(added, step.line) {
			t.Errorf("step %d: logged %q, want %q", i, added, step.line)
		}
	}
	for i := range 100 {
		p.onSession(Session{State: Connecting, Detail: fmt.Sprint("reason ", i)})
	}
	if n := strings.Count(log.String(), "reason "); n > maxReasons {
		t.Errorf("one interruption has %d lines", n)
	}
}
