package flasharray_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/poolcast/poolcast/flasharray"
)

// trustFile writes the certificate of a test server, which signs itself.
func trustFile(t *testing.T, folder string, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(folder, "array.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCertificatesAreVerifiedWhenAsked(t *testing.T) {
	f := newFake(t)
	folder := t.TempDir()
	file := trustFile(t, folder, f.Server)
	if err := os.WriteFile(filepath.Join(folder, "README"), []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "old"), 0o700); err != nil {
		t.Fatal(err)
	}
	pool, err := flasharray.ReadCAs(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		verify bool
		path   string
		pool   *x509.CertPool
		ok     bool
	}{
		"off":               {false, "", nil, true},
		"off, path ignored": {false, "/does/not/exist", nil, true},
		"by the system":     {true, "", nil, false},
		"by a file":         {true, file, nil, true},
		"by a folder":       {true, folder, nil, true},
		"by a pool":         {true, "", pool, true},
		"by another pool":   {true, file, x509.NewCertPool(), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := f.options()
			o.Verify, o.CAPath, o.RootCAs = tc.verify, tc.path, tc.pool
			c, err := flasharray.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer closeClient(t, c)
			_, err = c.Sample(t.Context())
			if tc.ok != (err == nil) {
				t.Fatalf("got %v", err)
			}
			if distrust := (*tls.CertificateVerificationError)(nil); !tc.ok && !errors.As(err, &distrust) {
				t.Errorf("the error does not tell that it is about trust: %v", err)
			}
		})
	}
	if f.logins != 5 {
		t.Errorf("%d logins; a token must not be sent before the certificate is trusted", f.logins)
	}
}
