package terminaltest

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo terminal, and what was written to it. Its methods may be called
// from any goroutine.
type Terminal struct {
	Program *os.File // the end of the program
	Keys    *os.File // the end of the user: what is written to it is typed
	read    chan struct{}

	mu      sync.Mutex
	written strings.Builder
}

// Open opens a terminal of a width, in columns. It is closed at the end of the test.
func Open(t testing.TB, columns int) *Terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	fd := int(keys.Fd())
	size := &unix.Winsize{Row: 40, Col: uint16(columns)}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size)); err != nil {
		t.Fatal(err)
	}
	program, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	term := &Terminal{Program: program, Keys: keys, read: make(chan struct{})}
	go term.receive()
	return term
}

// receive reads until all programs have closed their ends.
func (t *Terminal) receive() {
	defer close(t.read)
	buffer := make([]byte, 4096)
	for {
		n, err := t.Keys.Read(buffer)
		t.mu.Lock()
		t.written.Write(buffer[:n])
		t.mu.Unlock()
		if err != nil && !errors.Is(err, syscall.EINTR) || errors.Is(err, io.EOF) {
			return
		}
	}
}

// Written is what was written until now.
func (t *Terminal) Written() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.String()
}

// End closes the program's end and returns all that was written, when every process
// that had the terminal has ended.
func (t *Terminal) End() string {
	_ = t.Program.Close()
	<-t.read
	return t.Written()
}

// Screen is the lines that a user sees of what was written: with carriage returns, and
// the erasing of lines, and without colours.
func Screen(written string) []string {
	var lines []string
	line, column := []rune{}, 0
	for i := 0; i < len(written); {
		rest := written[i:]
		switch {
		case strings.HasPrefix(rest, "\x1b["):
			end := strings.IndexFunc(rest[2:], func(r rune) bool { return r >= '@' && r <= '~' }) + 2
			if rest[end] == 'K' {
				line = line[:column]
			}
			i += end + 1
			continue
		case rest[0] == '\r':
			column = 0
		case rest[0] == '\n':
			lines, line, column = append(lines, string(line)), nil, 0
		default:
			r := []rune(rest[:min(len(rest), 4)])[0]
			line = append(line[:column], append([]rune{r}, line[min(column+1, len(line)):]...)...)
			column++
			i += len(string(r))
			continue
		}
		i++
	}
	return append(lines, string(line))
}
