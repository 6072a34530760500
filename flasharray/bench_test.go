package flasharray_test

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// serveVariable makes the test program serve a simulated array in a process of
// its own, so that a benchmark measures the client only.
const serveVariable = "POOLCAST_TEST_SERVE_ARRAY"

func TestMain(m *testing.M) {
	if name := os.Getenv(serveVariable); name != "" {
		if err := serveArray(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveArray prints its address and certificate, and stops when its standard
// input ends.
func serveArray(name string) error {
	f, err := simulator.BuiltinNamed(name)
	if err != nil {
		return err
	}
	server, err := simulator.Serve([]*simulator.Array{simulator.New(f, simulator.Options{})}, simulator.ServeOptions{})
	if err != nil {
		return err
	}
	fmt.Println(server.Addr(name), base64.StdEncoding.EncodeToString(server.CAPEM()))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return server.Close()
}

// startArray runs serveArray in a process of its own.
func startArray(b *testing.B) flasharray.Options {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"=flasharray-x-01")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	address, pem, _ := strings.Cut(strings.TrimSpace(line), " ")
	ca, err := base64.StdEncoding.DecodeString(pem)
	if err != nil {
		b.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return flasharray.Options{
		Address: address, Token: flasharray.StaticToken(apiToken), Verify: true, RootCAs: pool, Timeout: time.Minute,
	}
}

// BenchmarkFleet polls many arrays in turn and reports the client's own
// processor time for a sample and the memory of each client between two of
// them, TLS included: with a connection kept, and with a new one for each sample.
func BenchmarkFleet(b *testing.B) {
	for name, idle := range map[string]time.Duration{"kept": 10 * time.Minute, "closed": -1} {
		for _, size := range []int{32, 1000} {
			b.Run(fmt.Sprintf("%s-%d", name, size), func(b *testing.B) {
				options := startArray(b)
				options.IdleTimeout = idle
				before := memoryInUse()
				fleet := newFleet(b, options, size)
				for _, c := range fleet { // log in, and connect
					poll(b, c)
				}
				held := memoryInUse() - before
				start := processorTime()
				b.ResetTimer()
				for i := range b.N {
					poll(b, fleet[i%size])
				}
				b.StopTimer()
				b.ReportMetric(float64(held)/float64(size), "B/client")
				b.ReportMetric(float64((processorTime()-start).Microseconds())/float64(b.N), "cpu-µs/op")
				for _, c := range fleet {
					if err := c.Close(b.Context()); err != nil {
						b.Error(err)
					}
				}
			})
		}
	}
}

func newFleet(b *testing.B, o flasharray.Options, size int) []*flasharray.Client {
	b.Helper()
	fleet := make([]*flasharray.Client, size)
	for i := range fleet {
		c, err := flasharray.New(o)
		if err != nil {
			b.Fatal(err)
		}
		fleet[i] = c
	}
	return fleet
}

func poll(b *testing.B, c *flasharray.Client) {
	b.Helper()
	if _, err := c.Sample(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// memoryInUse is what the program would keep after a garbage collection:
// objects, goroutine stacks and the runtime's own tables.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse + m.MSpanInuse)
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
