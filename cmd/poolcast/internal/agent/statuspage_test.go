package agent

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesOfTheStatusPageBlock: what was read last is used, and no FIFO is waited for.
func TestFilesOfTheStatusPageBlock(t *testing.T) {
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(path("bearer"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token := bearerToken(path("bearer"))
	if got, err := token.get(); err != nil || got != "s3cret" {
		t.Fatalf("got %q, %v", got, err)
	}
	writeKeyPair(t, path("cert.pem"), path("key.pem"))
	pair := keyPair(path("cert.pem"), path("key.pem"))
	good, err := pair.get()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bearer", "cert.pem", "key.pem"} {
		if err := errors.Join(os.Remove(path(name)), syscall.Mkfifo(path(name), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := token.get(); err != nil || got != "s3cret" {
		t.Errorf("the token became %q, %v", got, err)
	}
	if got, err := pair.get(); err != nil || got != good {
		t.Errorf("the certificate became %p, %v", got, err)
	}
	if _, err := bearerToken(path("bearer")).get(); err == nil || !strings.Contains(err.Error(), "is a FIFO") {
		t.Errorf("at the start: %v", err)
	}
}

// writeKeyPair writes the certificate of a test server and its key.
func writeKeyPair(t *testing.T, cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
}
