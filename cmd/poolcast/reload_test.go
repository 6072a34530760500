package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestReloadAddsAndRemovesAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t, 2)
	l.configure(1)
	log, stop := l.agent()
	l.await("the first poll", polled(l.arrays[0]))

	l.configure(2)
	l.await("the reload", log.has("configuration reloaded"))
	l.await("a poll of the added array", polled(l.arrays[1]))
	if n := l.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that did not change was logged into %d times", n)
	}

	l.configure(1)
	l.await("the logout of the removed array", func() bool { return l.arrays[1].Sessions() == 0 })
	l.arrays[0].ResetTraffic()
	l.await("a poll of the array that stayed", polled(l.arrays[0]))
	if n := l.arrays[0].Logins(); n != 1 {
		t.Errorf("the array that stayed was logged into %d times", n)
	}
	stop()
	for _, a := range l.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%s is left with %d sessions", a.Name(), n)
		}
	}
}

func TestReloadRefusesAFaultAsAWhole(t *testing.T) {
	t.Parallel()
	l := newLab(t, 2)
	l.configure(1)
	log, _ := l.agent()
	l.await("the first poll", polled(l.arrays[0]))
	good, err := os.ReadFile(l.path("cinder.conf"))
	if err != nil {
		t.Fatal(err)
	}
	l.configure(2, `extra_capabilities = {"broken"}`)
	l.await("the refusal", log.has("the new configuration is refused; the running one stays"))
	if text := log.String(); !strings.Contains(text, "extra_capabilities") || !strings.Contains(text, "cinder.conf:") {
		t.Errorf("the refusal does not say where: %s", text)
	}
	l.arrays[0].ResetTraffic()
	l.await("a poll under the old configuration", polled(l.arrays[0]))
	if polled(l.arrays[1])() {
		t.Error("an array of the refused configuration was polled")
	}
	l.write("cinder.conf", string(good))
	l.await("the way back", log.has("configuration reloaded"))
}

func TestRotatedTokenFileIsUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	l.write("token", tokenOf(l.arrays[0].Name()))
	l.configure(1, "token_file = "+l.path("token"))
	log, _ := l.agent("--log-level", "debug")
	l.await("the first poll", polled(l.arrays[0]))

	l.arrays[0].SetTokens("hush-rotated")
	l.write("token", "hush-rotated")
	l.arrays[0].ExpireSessions()
	l.await("a login with the new token", func() bool { return l.arrays[0].Logins() >= 2 })
	if strings.Contains(log.String(), "hush") {
		t.Errorf("the token is in the log: %s", log)
	}
}

func TestTokenCommandRunsAgainAfterARefusal(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	l.write("vault", tokenOf(l.arrays[0].Name()))
	l.configure(1, fmt.Sprintf("token_command = cat %s", l.path("vault")))
	log, _ := l.agent("--log-level", "debug")
	l.await("the first poll", polled(l.arrays[0]))
	l.arrays[0].SetTokens("hush-rotated")
	l.write("vault", "hush-rotated")
	l.arrays[0].ExpireSessions()
	l.await("a login with the new token", func() bool { return l.arrays[0].Logins() >= 2 })
	if strings.Contains(log.String(), "hush") {
		t.Errorf("the token is in the log: %s", log)
	}
}

func TestRenewedAuthorityIsTrustedWithoutARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	good, err := os.ReadFile(l.path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	other := newLab(t, 1)
	l.write("ca.pem", string(other.server.CAPEM()))
	l.configure(1)
	log, _ := l.agent()
	l.await("the refusal of the certificate", log.has("array does not answer"))
	l.write("ca.pem", string(good))
	l.await("a poll with the authority that was put in place", polled(l.arrays[0]))
}

func TestNewTokenIsTriedAtOnceAfterARefusal(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	l.write("token", "hush-wrong")
	l.configure(1, "token_file = "+l.path("token"))
	log, _ := l.agent()
	l.await("the refusal", log.has("array does not answer"))
	l.write("token", tokenOf(l.arrays[0].Name()))
	l.await("a poll with the right token", polled(l.arrays[0]))
}
