package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/config/files"
)

// tokenTimeout is how long reading a file or running a command may take. Both may
// give no more than files.MaxToken bytes.
const tokenTimeout = 10 * time.Second

// credential fetches an API token and keeps it until the array refuses it. Its
// methods may be called from any goroutine. Neither the token nor anything a
// token command printed is ever part of an error.
type credential struct {
	fetch func(context.Context) (string, error)

	mu    sync.Mutex
	token string
}

// newCredential returns the credential of a backend.
func newCredential(c config.Credential) *credential {
	switch {
	case c.File != "":
		return &credential{fetch: tokenFromFile(c.File)}
	case len(c.Command) > 0:
		return &credential{fetch: tokenFromCommand(c.Command)}
	}
	return &credential{fetch: func(context.Context) (string, error) { return c.Token.Reveal(), nil }}
}

// Token returns the token, fetching it if there is none.
func (c *credential) Token(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" {
		return c.token, nil
	}
	token, err := c.fetch(ctx)
	if err != nil {
		return "", err
	}
	c.token = token
	return token, nil
}

// Refused drops the token: the array did not accept it, so it may have been
// rotated. The next login fetches a new one.
func (c *credential) Refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

// tokenFromFile reads a file that holds a token and nothing else.
func tokenFromFile(path string) func(context.Context) (string, error) {
	slot := &files.Reader{}
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
		defer cancel()
		data, err := slot.Read(ctx, path, files.MaxToken)
		if err != nil {
			return "", fmt.Errorf("read token_file: %w", err)
		}
		return parseToken(data, "token_file "+path)
	}
}

// tokenFromCommand runs a command, without a shell, that prints a token. It runs
// in a process group of its own, which ends with it.
func tokenFromCommand(argv []string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = commandEnvironment(os.Environ())
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return endGroup(cmd) }
		cmd.WaitDelay = time.Second
		var out limitedBuffer
		cmd.Stdout = &out
		err := cmd.Run()
		_ = endGroup(cmd) // children that still run
		switch {
		case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
			return "", fmt.Errorf("run token_command %s: did not end within %s", argv[0], timeLimit(ctx, begin))
		case err != nil && ctx.Err() != nil:
			return "", fmt.Errorf("run token_command %s: %w", argv[0], ctx.Err())
		case err != nil:
			return "", fmt.Errorf("run token_command %s: %w (what it printed is not shown, as it may hold a secret; run it by hand)", argv[0], err)
		}
		return parseToken(out.kept.Bytes(), "token_command "+argv[0])
	}
}

// timeLimit is the time that ctx allowed, rounded: the deadline of the poll may
// be earlier than that of a command.
func timeLimit(ctx context.Context, begin time.Time) time.Duration {
	deadline, _ := ctx.Deadline()
	return deadline.Sub(begin).Round(10 * time.Millisecond)
}

// commandVariables are the variables of the environment that a token command gets.
// Others may hold passwords (OS_DEFAULT__TRANSPORT_URL) and systemd's socket.
var commandVariables = regexp.MustCompile(`(?i)^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|SSL_CERT_FILE|SSL_CERT_DIR|HTTPS?_PROXY|ALL_PROXY|NO_PROXY)=`)

func commandEnvironment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool { return !commandVariables.MatchString(pair) })
}

// endGroup ends a command and its children.
func endGroup(cmd *exec.Cmd) error {
	if cmd.Process == nil {
		return nil
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end process group: %w", err)
	}
	return nil
}

func parseToken(data []byte, from string) (string, error) {
	token := strings.TrimSpace(string(data))
	switch {
	case token == "":
		return "", fmt.Errorf("%s gave nothing; it should give the array's API token", from)
	case strings.ContainsAny(token, " \t\r\n"):
		return "", fmt.Errorf("%s gave more than one word; it should give the array's API token and nothing else", from)
	}
	if strings.ContainsAny(token[:1], `{["'`) || strings.ContainsAny(token[len(token)-1:], `"'`) {
		return "", fmt.Errorf("%s gave JSON, or a token in quotes; it should give the array's API token and nothing else", from)
	}
	return token, nil
}

// BearerToken reads the bearer token of an agent from a file.
func BearerToken(ctx context.Context, slot *files.Reader, path string) (string, error) {
	data, err := slot.Read(ctx, path, files.MaxToken)
	if err != nil {
		return "", fmt.Errorf("read bearer token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("read bearer token: %s is empty", path)
	}
	return token, nil
}

// limitedBuffer keeps what fits and returns an error for the rest, which ends the
// command. The buffer is not embedded: its ReadFrom has no limit.
type limitedBuffer struct{ kept bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > files.MaxToken {
		return 0, errors.New("too much output for a token")
	}
	return b.kept.Write(p)
}
