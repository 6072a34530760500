package rabbitmq

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// writeCertificates makes an authority and, signed by it, the broker's own
// certificate for 127.0.0.1 and localhost.
func (b *Broker) writeCertificates() {
	b.t.Helper()
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "poolcast test authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		IPAddresses:  []net.IP{net.ParseIP(b.ip())},
		DNSNames:     []string{"localhost"},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, serverKey := b.newKey(), b.newKey()
	b.writeCertificate("ca.pem", authority, authority, &authorityKey.PublicKey, authorityKey)
	b.writeCertificate("server.pem", server, authority, &serverKey.PublicKey, authorityKey)
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		b.t.Fatalf("encode the broker's key: %v", err)
	}
	b.write("server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func (b *Broker) newKey() *ecdsa.PrivateKey {
	b.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatalf("make a key: %v", err)
	}
	return key
}

func (b *Broker) writeCertificate(name string, c, issuer *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) {
	b.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, public, signer)
	if err != nil {
		b.t.Fatalf("sign %s: %v", name, err)
	}
	b.write(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}
