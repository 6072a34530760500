package flasharray_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/config/files"
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

func TestVerifyCertificates(t *testing.T) {
	f := newFakeArray(t)
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
				t.Errorf("the error is not about certificates: %v", err)
			}
		})
	}
	if f.logins != 5 {
		t.Errorf("%d logins; a token must not be sent before the certificate is trusted", f.logins)
	}
}

// serveNegativeSerial makes a fakeArray use a certificate with a negative serial
// number, which no library makes: the sign bit of a valid one is set. That makes
// the signature invalid, too.
func serveNegativeSerial(t *testing.T) *fakeArray {
	t.Helper()
	f := newFakeArray(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial := []byte{0x7a, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}
	template := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der[bytes.Index(der, serial)] |= 0x80
	f.Server = httptest.NewUnstartedServer(f)
	f.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

func TestNegativeSerialNumberWithoutVerification(t *testing.T) {
	f := serveNegativeSerial(t)
	c := f.client(t)
	defer closeClient(t, c)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Error(err)
	}
	o := f.options()
	o.Verify = true
	verifying, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	distrust := (*tls.CertificateVerificationError)(nil)
	if _, err := verifying.Sample(t.Context()); !errors.As(err, &distrust) {
		t.Errorf("verified: %v", err)
	}
}

func TestNegativeSerialNumberErrorNamesSetting(t *testing.T) {
	f := serveNegativeSerial(t)
	t.Setenv("GODEBUG", "x509negativeserial=0")
	if _, err := f.client(t).Sample(t.Context()); err == nil || !strings.Contains(err.Error(), "//go:debug x509negativeserial=1") {
		t.Errorf("got %v", err)
	}
}

// TestCertificateFilesFIFOAndDevice checks that a FIFO does not block and that an
// endless device is not read.
func TestCertificateFilesFIFOAndDevice(t *testing.T) {
	folder := t.TempDir()
	fifo, large := filepath.Join(folder, "fifo"), filepath.Join(folder, "large")
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.WriteFile(large, nil, 0o600), os.Truncate(large, files.MaxCertificates+1)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{fifo: files.ErrNotRegular, "/dev/zero": files.ErrNotRegular, large: files.ErrTooLarge, folder: files.ErrTooLarge} {
		if _, err := flasharray.ReadCAs(path); !errors.Is(err, want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
