//go:build integration

package integration

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/publisher"
)

// TestNothingGivesASecretAway runs the program in every way in which it has
// something to say, with things going wrong, at the most talkative level. Every
// other test in this folder looks at the agent's log for secrets too.
func TestNothingGivesASecretAway(t *testing.T) {
	t.Parallel()
	broker, transport := startBroker(t)
	right := strings.TrimSuffix(transport, "/")
	wrong := strings.Replace(strings.TrimPrefix(right, "rabbit://"), secretMark, secretMark+"wrong", 1)
	c := newCloud(t, threeArrays(t), right+","+wrong+"/")
	good, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("commands", func(t *testing.T) {
		for _, args := range [][]string{
			{"--dry-run", "--output", "json"},
			{"--dry-run", "--output", "table"},
			{"--dry-run", "--output", "oslo"},
			{"--dry-run", "--log-level", "trace", "--log-format", "text"},
			{"pools"},
			{"place", "--size", "100"},
			{"--version"},
			{"--help"},
		} {
			if out, code := c.try(t, args...); code != 0 {
				t.Errorf("poolcast %s ended with %d:\n%s", strings.Join(args, " "), code, out)
			}
		}
	})

	t.Run("arrays that refuse", func(t *testing.T) {
		for name, strike := range map[string]func(a *simulator.Array, token string){
			"token":       func(a *simulator.Array, _ string) { a.SetTokens() },
			"echoed back": func(a *simulator.Array, token string) { a.SetFaults(echo(token).On("login")) },
			"cut off":     func(a *simulator.Array, _ string) { a.SetFaults(simulator.CutBody()) },
		} {
			for i, a := range c.arrays {
				strike(a, c.tokens[i])
			}
			if out, code := c.try(t, "--dry-run", "--log-level", "trace"); code != 1 {
				t.Errorf("%s: the dry run ended with %d:\n%s", name, code, out)
			}
			for i, a := range c.arrays {
				misfortune{}.end(c, a, c.tokens[i])
			}
		}
	})

	t.Run("configurations that are refused", func(t *testing.T) {
		defer c.write(c.config, string(good))
		for _, line := range []string{
			"[DEFAULT]\ntransport_url = rabbit://user:" + secret() + "@host:port/",
			"[DEFAULT]\ntransport_url = " + secret() + "://user@host/",
			"[DEFAULT]\ntransport_url = rabbit://user:" + secret() + "%zz@host/",
			"[flasharray_x_01]\nreplication_device = api_token:" + secret(),
			"[flasharray_x_01]\nreplication_device = " + secret(),
			"[flasharray_x_01]\npure_api_token = " + secret() + " san_ip = 10.0.0.1",
			"[flasharray_x_01]\nsan_ip =\npure_api_token = " + secret(),
			"[flasharray_x_01]\ntoken_command = /no/such/program " + secret(),
		} {
			c.write(c.config, string(good)+line+"\n")
			if out, code := c.try(t, "--dry-run", "--log-level", "trace"); code == 0 && !strings.Contains(line, "://") {
				t.Errorf("%q was accepted:\n%s", line, out)
			}
		}
	})

	t.Run("an agent", func(t *testing.T) {
		c.write(c.config, strings.Replace(string(good), "listen = off", "listen = 127.0.0.1:0\nlog_level = trace", 1))
		defer c.write(c.config, string(good))
		l := listen(t, broker)
		c.startVolume(broker)
		a := c.startAgent()
		for _, array := range c.arrays {
			l.await(hostOf(array.Name()), time.Time{}, patience, sound)
		}
		for _, page := range []string{"", "metrics", "livez", "readyz", "v1/reports", "v1/told", "v1/place?size=1", "no/such/page"} {
			checkSecrets(t, fetch(t, a.pageURL()+"/"+page))
		}
		bad := "[flasharray_x_01]\nreplication_device = " + secret() + "\n[DEFAULT]\ntransport_url = rabbit://user:" + secret() + "@host:port/\n"
		if err := os.WriteFile(c.config, append(good, bad...), 0o600); err != nil {
			t.Fatal(err)
		}
		a.awaitLog(0, "message", "refused")
		seen := len(a.log())
		broker.Kill()
		a.awaitLog(seen, "session", string(publisher.Connecting))
		a.finish()
		checkSecrets(t, a.Output())
	})
}

// echo is a fault in which the array repeats the token that it was shown.
func echo(token string) simulator.Fault {
	return simulator.Fault{Status: http.StatusBadRequest, Body: `{"errors":[{"context":null,"message":"bad token ` + token + `"}]}`}
}

// try runs a command of the program to its end, whatever that is, and returns
// all it said.
func (c *cloud) try(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := c.command(args...)
	cmd.Dir = filepath.Dir(c.config)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	checkSecrets(t, string(out))
	return string(out), cmd.ProcessState.ExitCode()
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
