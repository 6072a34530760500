package simulator_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestServeSeveralArrays(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var arrays []*simulator.Array
	for _, f := range all {
		arrays = append(arrays, simulator.New(f, simulator.Options{}))
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	transport := &http.Transport{DialContext: server.DialContext, TLSClientConfig: &tls.Config{RootCAs: server.CertPool()}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, a := range arrays {
		for _, host := range []string{a.Addresses()[0], a.Name(), server.Addr(a.Name())} {
			r, err := client.Get("https://" + host + "/api/api_version")
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.ProtoMajor != 1 || r.Close {
				t.Errorf("%s: HTTP/%d, closes: %v", host, r.ProtoMajor, r.Close)
			}
		}
		if n := a.Requests()["GET api_version"]; n != 3 {
			t.Errorf("%s got %d requests, want 3", a.Name(), n)
		}
	}
	if r, err := client.Get("https://192.0.2.99/api/api_version"); err == nil {
		_ = r.Body.Close()
		t.Error("a connection to an unknown address succeeded")
	}
	if !bytes.Contains(server.CAPEM(), []byte("BEGIN CERTIFICATE")) || server.Addr("nobody") != "" {
		t.Error("CAPEM or Addr is wrong")
	}
}

func TestExpiredCertificate(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.server.ExpireCertificate("flasharray-x-01", true)
	l.client.CloseIdleConnections()
	r := l.request("arrays")
	var invalid x509.CertificateInvalidError
	if !errors.As(r.err, &invalid) || invalid.Reason != x509.Expired {
		t.Errorf("error is %v, want an expired certificate", r.err)
	}
	l.server.ExpireCertificate("flasharray-x-01", false)
	if r := l.request("arrays"); r.status != http.StatusOK {
		t.Errorf("with a valid one: %d, %v", r.status, r.err)
	}
}

// TestCloseEndsAllGoroutines uses synctest, which fails if a goroutine remains.
func TestCloseEndsAllGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := simulator.New(fixture(t, "flasharray-x-01"), simulator.Options{})
		a.SetFaults(simulator.Hang().On("volumes"))
		l := environmentOf(t, a, simulator.ServeOptions{
			Listen: func(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil },
		})
		done := make(chan error)
		go func() {
			r := l.request("volumes")
			done <- r.err
		}()
		synctest.Wait()
		if err := l.server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err == nil {
			t.Error("a request succeeded after Close")
		}
	})
}

func TestServeListenError(t *testing.T) {
	a := simulator.New(fixture(t, "flasharray-x-01"), simulator.Options{})
	refused := errors.New("no such port")
	_, err := simulator.Serve([]*simulator.Array{a}, simulator.ServeOptions{
		Listen: func(*simulator.Array) (net.Listener, error) { return nil, refused },
	})
	if !errors.Is(err, refused) {
		t.Errorf("error is %v", err)
	}
}

func TestPipeListenerClose(t *testing.T) {
	l := simulator.NewPipeListener()
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if _, err := l.DialContext(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial: %v", err)
	}
}
