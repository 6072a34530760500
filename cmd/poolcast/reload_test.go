package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

func TestReloadKeepsOtherSessions(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	e.configure(1)
	log, stop := e.agent()
	e.await("the first poll", polled(e.arrays[0]))

	e.configure(2)
	e.await("the reload", log.has("configuration reloaded"))
	e.await("a poll of the added array", polled(e.arrays[1]))
	if n := e.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that did not change was logged into %d times", n)
	}

	e.configure(1)
	e.await("the logout of the removed array", func() bool { return e.arrays[1].Sessions() == 0 })
	e.arrays[0].ResetTraffic()
	e.await("a poll of the array that stayed", polled(e.arrays[0]))
	if n := e.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that stayed was logged into %d times", n)
	}
	stop()
	for _, a := range e.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%s is left with %d sessions", a.Name(), n)
		}
	}
}

// edit changes cinder.conf.
func (e *environment) edit(old, now string) {
	e.t.Helper()
	text, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		e.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		e.t.Fatalf("%q is not in %s", old, text)
	}
	e.write("cinder.conf", strings.Replace(string(text), old, now, 1))
}

// listenOnFreePort gives the agent a status page and returns its URL.
func (e *environment) listenOnFreePort() (url string) {
	e.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	e.edit("listen = off", "listen = "+listener.Addr().String())
	return "http://" + listener.Addr().String()
}

// get returns the status and the text of an address of the agent.
func (e *environment) get(url string) (int, string) {
	e.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Error(err)
	}
	return response.StatusCode, string(text)
}

// lines are those of a log that hold a text.
func lines(log *safeBuffer, text string) []string {
	return slices.DeleteFunc(strings.Split(log.String(), "\n"), func(line string) bool { return !strings.Contains(line, text) })
}

// A refused configuration leaves everything as it is, the log level too, and is
// shown by metrics, health checks and page. The agent is alive and ready as before.
func TestRefusedReloadChangesNothingAndIsShown(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	url := e.listenOnFreePort()
	log, _ := e.agent("--log-format", "json")
	e.await("the first poll", polled(e.arrays[0]))
	metric := func(name, value string) func() bool {
		return func() bool {
			_, text := e.get(url + "/metrics")
			return strings.Contains(text, "\n"+name+" "+value+"\n")
		}
	}
	e.await("a good start", metric("poolcast_config_last_reload_successful", "1"))
	good, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		t.Fatal(err)
	}

	e.edit("[poolcast]", "[oslo_messaging_rabbit]\nrabbit_login_method = RABBIT-CR-DEMO\n[poolcast]\nlog_level = error")
	const refused = "the new configuration is refused; the running one stays"
	e.await("the refusal", log.has(refused))
	e.await("its metric", metric("poolcast_config_last_reload_successful", "0"))
	if _, text := e.get(url + "/metrics"); !strings.Contains(text, "\npoolcast_config_last_reload_success_timestamp_seconds 1.") {
		t.Errorf("the last success has no time:\n%s", text)
	}
	if _, text := e.get(url + "/readyz"); !strings.Contains(text, "[!] configuration: a newer one was refused") || !strings.Contains(text, "rabbit_login_method") {
		t.Errorf("/readyz does not warn: %s", text)
	}
	if _, text := e.get(url + "/"); !strings.Contains(text, "a newer one was refused") {
		t.Errorf("the page does not list it")
	}
	stdout, _, code := e.command("probe", "--live")
	if code != exit.OK || !strings.Contains(stdout, "main loop is running") {
		t.Errorf("the probe ended with %d: %s", code, stdout)
	}
	e.write("cinder.conf", string(good))
	e.await("a line of level info, as the level was not changed", log.has("configuration reloaded"))
	e.await("the metric of the way back", metric("poolcast_config_last_reload_successful", "1"))
}

// Every fault is one line of the log.
func TestRefusedReloadLogsEachFault(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	e.configure(2)
	log, _ := e.agent("--log-format", "json")
	e.await("the first poll", polled(e.arrays[0]))
	e.edit("[poolcast]", "[poolcast]\non_stale = perhaps\noverlay = perhaps")
	e.await("the refusal", log.has("is refused"))
	e.await("both faults", func() bool { return len(lines(log, "is refused")) == 2 })
	for _, line := range lines(log, "is refused") {
		if strings.Count(line, "perhaps") != 1 || strings.Contains(line, `\n`) {
			t.Errorf("got %s", line)
		}
	}
}

// A fault in one section costs that backend alone.
func TestReloadServesTheBackendsWithoutAFault(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	e.configure(2)
	url := e.listenOnFreePort()
	log, _ := e.agent("--log-format", "json")
	e.await("the first polls", func() bool { return polled(e.arrays[0])() && polled(e.arrays[1])() })
	e.edit("[fa1]\n", "[fa1]\nextra_capabilities = {\"tier\": \n")
	e.await("the reload", log.has("configuration reloaded"))
	if logged := lines(log, "backend is not served"); len(logged) != 1 || !strings.Contains(logged[0], "cinder.conf:") || !strings.Contains(logged[0], `"backend":"fa1"`) {
		t.Errorf("logged: %q", logged)
	}
	if logged := lines(log, "configuration reloaded"); !strings.Contains(logged[0], `"removed":["fa1"]`) {
		t.Errorf("logged: %q", logged)
	}
	e.await("the logout of the backend that is left out", func() bool { return e.arrays[1].Sessions() == 0 })
	e.arrays[0].ResetTraffic()
	e.await("a poll of the other", polled(e.arrays[0]))
	code, text := e.get(url + "/readyz")
	if code != http.StatusServiceUnavailable || !strings.Contains(text, "[-] fa1: not served: "+e.path("cinder.conf")+":") || !strings.Contains(text, "extra_capabilities") {
		t.Errorf("/readyz returned %d: %s", code, text)
	}
	_, text = e.get(url + "/metrics")
	for _, want := range []string{
		`poolcast_backend_config_valid{backend="fa0",fault="",host="ctl1@fa0",volume_backend_name="gold"} 1`,
		`poolcast_backend_config_valid{backend="fa1",fault="` + e.path("cinder.conf") + `:`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
	if _, text := e.get(url + "/"); !strings.Contains(text, "not served") {
		t.Error("the page does not list the backend")
	}
	e.edit("extra_capabilities = {\"tier\": \n", "")
	e.await("the way back", func() bool { return e.arrays[1].Sessions() == 1 })
}

func TestReloadLogsAddedRemovedAndChangedBackends(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 3)
	e.configure(2)
	log, _ := e.agent("--log-format", "json")
	e.await("the first poll", polled(e.arrays[0]))
	e.edit("enabled_backends = fa0,fa1", "enabled_backends = fa1,fa2")
	e.edit("[fa1]\n", fmt.Sprintf("[fa2]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = %s\npure_api_token = x\n[fa1]\nreserved_percentage = 5\n", e.server.Addr(e.arrays[2].Name())))
	e.await("the reload", log.has("configuration reloaded"))
	e.await("both changes", func() bool {
		all := strings.Join(lines(log, "configuration reloaded"), "\n")
		return strings.Contains(all, `"added":["fa2"]`) && strings.Contains(all, `"removed":["fa0"]`) && strings.Contains(all, `"changed":["fa1"]`)
	})
}

// Options that take effect at the next start are logged.
func TestReloadLogsOptionsThatNeedARestart(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	log, _ := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	e.edit("listen = off", "listen = 127.0.0.1:1\nlog_format = json")
	e.await("the format", log.has("log_format: takes effect at the next start"))
	e.await("the address", log.has("listen: takes effect at the next start"))
	if strings.Contains(log.String(), "tls_cert_file: takes") {
		t.Error("something is named that did not change")
	}
}

func TestReloadChangesTheThresholdsOfThePage(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	url := e.listenOnFreePort()
	log, _ := e.agent()
	shows := func(text string) func() bool {
		return func() bool {
			_, page := e.get(url + "/")
			return strings.Contains(page, text)
		}
	}
	e.await("the default", shows("load from 70 and 90\u202f%, latency from 2 and 5\u202fms"))
	e.edit("poll_interval = 3s", "poll_interval = 3s\nload_thresholds = 40,60\nlatency_thresholds = 500us,1ms")
	e.await("the reload", log.has("configuration reloaded"))
	e.await("the new thresholds", shows("load from 40 and 60\u202f%, latency from 0.5 and 1\u202fms"))
	e.edit("load_thresholds = 40,60", "load_thresholds = 60,40")
	e.await("the refusal", log.has("[poolcast] load_thresholds \\\"60,40\\\" has a warning that is not below critical"))
	if !shows("load from 40 and 60")() {
		t.Error("the refused thresholds are used")
	}
}

// Another interval is no reason to log out of every array.
func TestNewIntervalKeepsSessionAndHistory(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	log, _ := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	e.edit("poll_interval = 3s", "poll_interval = 4s\npoll_timeout = 2s")
	e.await("the reload", log.has("configuration reloaded"))
	for range 2 {
		e.arrays[0].ResetTraffic()
		e.await("a poll with the new interval", polled(e.arrays[0]))
	}
	if n := e.arrays[0].Logins(); n != 1 {
		t.Errorf("%d logins, want the first alone", n)
	}
	if logged := lines(log, "array polled"); len(logged) != 1 {
		t.Errorf("the history began again: %q", logged)
	}
}

// A file system that does not respond must not stop the main loop.
func TestBlockedReadDoesNotStopTheAgent(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	url := e.listenOnFreePort()
	log, stop := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	if err := syscall.Mkfifo(e.path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(e.path("fifo"), e.path("cinder.conf")); err != nil {
		t.Fatal(err)
	}
	var writer *os.File
	e.await("a reader of the FIFO, or its refusal", func() bool {
		var err error
		writer, err = os.OpenFile(e.path("cinder.conf"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil || log.has("is refused")()
	})
	if writer != nil {
		defer func() { _ = writer.Close() }()
	}
	e.arrays[0].ResetTraffic()
	e.await("a poll meanwhile", polled(e.arrays[0]))
	if code, text := e.get(url + "/livez"); code != http.StatusOK {
		t.Errorf("/livez returned %d: %s", code, text)
	}
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > maxWait/2 {
		t.Errorf("it took %s to stop", took)
	}
}

func TestReloadRefusesAnInvalidConfiguration(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	e.configure(1)
	log, _ := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	good, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		t.Fatal(err)
	}
	e.configure(2, `extra_capabilities = {"broken"}`)
	e.await("the refusal", log.has("the new configuration is refused; the running one stays"))
	if text := log.String(); !strings.Contains(text, "extra_capabilities") || !strings.Contains(text, "cinder.conf:") {
		t.Errorf("the refusal has no location: %s", text)
	}
	e.arrays[0].ResetTraffic()
	e.await("a poll under the old configuration", polled(e.arrays[0]))
	if polled(e.arrays[1])() {
		t.Error("an array of the refused configuration was polled")
	}
	e.write("cinder.conf", string(good))
	e.await("the way back", log.has("configuration reloaded"))
}

func TestRotatedTokenFileIsUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.write("token", tokenOf(e.arrays[0].Name()))
	e.configure(1, "token_file = "+e.path("token"))
	log, _ := e.agent("--log-level", "debug")
	e.await("the first poll", polled(e.arrays[0]))

	e.arrays[0].SetTokens("hush-rotated")
	e.write("token", "hush-rotated")
	e.arrays[0].ExpireSessions()
	e.await("a login with the new token", func() bool { return e.arrays[0].Logins() >= 2 })
	if strings.Contains(log.String(), "hush") {
		t.Errorf("the token is in the log: %s", log)
	}
}

func TestTokenCommandRunsAgainAfterARefusal(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.write("vault", tokenOf(e.arrays[0].Name()))
	e.configure(1, fmt.Sprintf("token_command = cat %s", e.path("vault")))
	log, _ := e.agent("--log-level", "debug")
	e.await("the first poll", polled(e.arrays[0]))
	e.arrays[0].SetTokens("hush-rotated")
	e.write("vault", "hush-rotated")
	e.arrays[0].ExpireSessions()
	e.await("a login with the new token", func() bool { return e.arrays[0].Logins() >= 2 })
	if strings.Contains(log.String(), "hush") {
		t.Errorf("the token is in the log: %s", log)
	}
}

func TestRenewedAuthorityIsTrustedWithoutARestart(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	good, err := os.ReadFile(e.path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	other := newEnvironment(t, 1)
	e.write("ca.pem", string(other.server.CAPEM()))
	e.configure(1)
	log, _ := e.agent()
	e.await("the refusal of the certificate", log.has("polling array failed"))
	e.write("ca.pem", string(good))
	e.await("a poll with the authority that was put in place", polled(e.arrays[0]))
}

func TestNewTokenIsUsedAtOnceAfterARefusal(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.write("token", "hush-wrong")
	e.configure(1, "token_file = "+e.path("token"))
	log, _ := e.agent()
	e.await("the refusal", log.has("polling array failed"))
	e.write("token", tokenOf(e.arrays[0].Name()))
	e.await("a poll with the right token", polled(e.arrays[0]))
}
