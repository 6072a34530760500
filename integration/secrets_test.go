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
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/publisher"
)

// TestSecretsAreNotPrinted runs the commands and the agent with faults, at the most
// detailed log level. Every other test in this folder checks the agent's log for
// secrets too.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	broker, transport := startBroker(t)
	right := strings.TrimSuffix(transport, "/")
	wrong := strings.Replace(strings.TrimPrefix(right, "rabbit://"), secretPrefix, secretPrefix+"wrong", 1)
	env := newEnvironment(t, threeArrays(t), right+","+wrong+"/")
	good, err := os.ReadFile(env.config)
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
			if out, code := env.try(t, args...); code != 0 {
				t.Errorf("poolcast %s ended with %d:\n%s", strings.Join(args, " "), code, out)
			}
		}
	})

	t.Run("arrays with faults", func(t *testing.T) {
		for name, inject := range map[string]func(a *simulator.Array, token string){
			"token":       func(a *simulator.Array, _ string) { a.SetTokens() },
			"echoed back": func(a *simulator.Array, token string) { a.SetFaults(echo(token).On("login")) },
			"cut off":     func(a *simulator.Array, _ string) { a.SetFaults(simulator.CutBody()) },
		} {
			for i, a := range env.arrays {
				inject(a, env.tokens[i])
			}
			if out, code := env.try(t, "--dry-run", "--log-level", "trace"); code != 1 {
				t.Errorf("%s: the dry run ended with %d:\n%s", name, code, out)
			}
			for i, a := range env.arrays {
				arrayFault{}.clear(env, a, env.tokens[i])
			}
		}
	})

	t.Run("invalid configurations", func(t *testing.T) {
		defer env.write(env.config, string(good))
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
			env.write(env.config, string(good)+line+"\n")
			if out, code := env.try(t, "--dry-run", "--log-level", "trace"); code == 0 && !strings.Contains(line, "://") {
				t.Errorf("%q was accepted:\n%s", line, out)
			}
		}
	})

	t.Run("an agent", func(t *testing.T) {
		env.write(env.config, strings.Replace(string(good), "listen = off", "listen = 127.0.0.1:0\nlog_level = trace", 1))
		defer env.write(env.config, string(good))
		l := cindertest.StartScheduler(t, broker.URL(), cindertest.Layout{})
		env.startVolume(broker)
		a := env.startAgent()
		for _, array := range env.arrays {
			l.Await(pollBound, hostName(array.Name()), time.Time{}, complete)
		}
		for _, page := range []string{"", "metrics", "livez", "readyz", "v1/reports", "v1/effective", "v1/place?size=1", "no/such/page"} {
			checkSecrets(t, fetch(t, a.statusPageURL()+"/"+page))
		}
		bad := "[flasharray_x_01]\nreplication_device = " + secret() + "\n[DEFAULT]\ntransport_url = rabbit://user:" + secret() + "@host:port/\n"
		if err := os.WriteFile(env.config, append(good, bad...), 0o600); err != nil {
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

// echo is a fault in which the array returns the token of the request.
func echo(token string) simulator.Fault {
	return simulator.Fault{Status: http.StatusBadRequest, Body: `{"errors":[{"context":null,"message":"bad token ` + token + `"}]}`}
}

// try runs a command of the program to its end and returns its output and exit code.
func (env *environment) try(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := env.command(args...)
	cmd.Dir = filepath.Dir(env.config)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	checkSecrets(t, string(out))
	return string(out), cmd.ProcessState.ExitCode()
}

// fetch returns the body of a page, whatever its status is.
func fetch(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: pollBound}
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
