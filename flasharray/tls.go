package flasharray

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/poolcast/poolcast/config/files"
)

// ReadCAs reads the certificates to trust from a PEM file, or from every file
// in a folder that holds any, as Cinder's driver_ssl_cert_path may name either.
// A path that cannot be read or holds no certificate is an error: falling back
// to the system's certificates would hide a typing mistake.
func ReadCAs(path string) (*x509.CertPool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read trusted certificates: %w", err)
	}
	paths := []string{path}
	if info.IsDir() {
		if paths, err = regularFiles(path); err != nil {
			return nil, fmt.Errorf("read trusted certificates: %w", err)
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, file := range paths {
		pem, err := files.Read(file, files.MaxCertificates)
		if err != nil {
			return nil, fmt.Errorf("read trusted certificates: %w", err)
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("read trusted certificates: %s holds no PEM certificate", path)
	}
	return pool, nil
}

// regularFiles lists the files of a folder, through symbolic links too: that
// is how c_rehash and Kubernetes lay their folders out.
func regularFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	// Arrays that have not been updated for years still speak TLS 1.2.
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if !o.Verify {
		config.InsecureSkipVerify = true // the operator's explicit choice, warned about by the program
		return config, nil
	}
	config.RootCAs = o.RootCAs
	if config.RootCAs != nil || o.CAPath == "" {
		return config, nil
	}
	pool, err := ReadCAs(o.CAPath)
	config.RootCAs = pool
	return config, err
}
