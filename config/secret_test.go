package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const sentinel = "T0PS3CRET"

// TestSecretIsNeverPrinted prints a secret in every way, also as a field and an
// element, where fmt calls no method.
func TestSecretIsNeverPrinted(t *testing.T) {
	secret := newSecret(sentinel)
	inner := struct{ token Secret }{secret}
	list := []Secret{secret}
	dict := map[string]Secret{"a": secret}
	var out strings.Builder
	for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %T %10s %U") {
		for _, v := range []any{secret, &secret, inner, &inner, list, dict, Credential{Token: secret}, Broker{Password: secret}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	text, err := json.Marshal([]any{secret, &secret, inner, list, dict})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	fmt.Fprintln(&out, fmt.Errorf("%v: %w", secret, FieldErrors{}))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "a", secret, "b", list, "c", inner)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "a", secret, "b", list, "c", inner)
	for _, form := range []string{sentinel, fmt.Sprintf("%x", sentinel), fmt.Sprintf("%X", sentinel), fmt.Sprintf("%d", []byte(sentinel))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%s is printed:\n%s", form, out.String())
		}
	}
	if secret.Reveal() != sentinel {
		t.Error("Reveal is wrong")
	}
}

func TestSecretEqual(t *testing.T) {
	if !newSecret("a").equal(newSecret("a")) || newSecret("a").equal(newSecret("b")) || !(Secret{}).equal(newSecret("")) {
		t.Error("Equal is wrong")
	}
	if !(Secret{}).IsZero() || newSecret("a").IsZero() || (Secret{}).Reveal() != "" {
		t.Error("the empty secret is wrong")
	}
}
