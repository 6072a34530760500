package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad loads any text before and after the secrets of a configuration. Nothing
// panics, and no message contains a secret.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.conf", "../examples/*.conf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			text := strings.ReplaceAll(string(data), sentinel, "x")
			f.Add(text, "")
			f.Add("", text)
			f.Add(text[:len(text)/2], text[len(text)/2:])
		}
	}
	f.Add("[DEFAULT]\nenabled_backends=a\n[a]\nextra_capabilities = {", "}\nsan_ip = $pure_api_token\nreserved_percentage = ${a.pure_api_token}")
	f.Add("[a]", "extra_capabilities = {\"a\": $pure_api_token}\nvolume_backend_name = $transport_url x # y")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.Contains(before+after, sentinel) {
			t.Skip()
		}
		text := before + "\n[a]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n" +
			"pure_api_token = " + sentinel + "\n" +
			"replication_device = backend_id:r,san_ip:h,api_token:" + sentinel + "\n" +
			"[DEFAULT]\ntransport_url = rabbit://u:" + sentinel + "@h/\n[a]\n" + after
		read := func(string) ([]byte, error) { return []byte(text), nil }
		cfg, err := load(Sources{Inputs: Files("cinder.conf"), hostname: "h"}, read)
		output := messages(cfg)
		if err != nil {
			var faults FieldErrors
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("not a list of faults: %v", err)
			}
			output += err.Error()
		}
		if strings.Contains(output, sentinel) {
			t.Fatalf("a secret of %q is printed:\n%s", text, output)
		}
	})
}
