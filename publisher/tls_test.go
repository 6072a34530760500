package publisher

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClientCertificate shows a broker that insists on it our certificate.
func TestClientCertificate(t *testing.T) {
	cert, key, pair := selfSigned(t, "mq1")
	trusted := x509.NewCertPool()
	trusted.AddCert(pair.Leaf)
	broker := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert}
	for name, tt := range map[string]struct {
		options TLS
		good    bool
	}{
		"shown":     {TLS{CAFile: cert, CertFile: cert, KeyFile: key}, true},
		"not shown": {TLS{CAFile: cert}, false},
	} {
		config, err := tt.options.client("mq1")
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, tls.Client(ours, config)) }()
		err = tls.Server(theirs, broker).Handshake()
		if (err == nil) != tt.good {
			t.Errorf("%s: the handshake ends with %v", name, err)
		}
		_, _ = ours.Close(), theirs.Close()
	}
	if _, err := (&TLS{CertFile: key, KeyFile: cert}).client("mq1"); err == nil || !strings.Contains(err.Error(), "ssl_cert_file") {
		t.Errorf("certificate and key are the wrong way round: %v", err)
	}
}

// selfSigned writes a certificate that may be server, client and authority.
func selfSigned(t *testing.T, name string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certFile, "CERTIFICATE", der)
	write(keyFile, "PRIVATE KEY", secret)
	if pair, err = tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile, pair
}
