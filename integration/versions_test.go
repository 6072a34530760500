//go:build integration

package integration

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestVersionMatchesInstalled: the oldest Cinder and RabbitMQ that the
// program says it was tested with are those that these tests run.
func TestVersionMatchesInstalled(t *testing.T) {
	out, err := exec.Command(program(t), "version", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Tested struct {
			Cinder, RabbitMQ struct{ Oldest, Newest string }
		}
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cinder-scheduler": said.Tested.Cinder.Oldest,
		"rabbitmq-server":  said.Tested.RabbitMQ.Oldest,
	} {
		installed, err := exec.Command("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want == "" || !strings.HasPrefix(string(installed), want+".") {
			t.Errorf("%s %s is installed, and the program says %q", name, installed, want)
		}
	}
}
