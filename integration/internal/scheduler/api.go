package scheduler

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

const (
	// apiProgram is Debian's cinder-api without the package that also sets up
	// a web server.
	apiProgram = "from cinder.cmd.api import main; main()"
	// Project is the id of the project that creates volumes. noauth does not check it.
	Project = "0123456789abcdef0123456789abcdef"
	// User is the id of its user.
	User = "5e1f00d0000000000000000000000005"
	// clientBound is how long one command of the client may take.
	clientBound = 2 * time.Minute
)

// API is Cinder's REST API in front of a scheduler.
type API struct {
	// URL is that of the API, with its version and without a project.
	URL string

	s        *Scheduler
	endpoint string // of a project
}

// StartAPI runs cinder-api beside the scheduler, for the commands of an operator. It
// has no Keystone.
func (s *Scheduler) StartAPI() *API {
	s.t.Helper()
	return s.startAPI("noauth")
}

// StartAPIWithKeystone runs cinder-api beside the scheduler. It checks tokens at the
// Keystone of a URL, as the user admin.
func (s *Scheduler) StartAPIWithKeystone(authURL, password string) *API {
	s.t.Helper()
	return s.startAPI("keystone",
		"[keystone_authtoken]",
		"auth_type = password",
		"auth_url = "+authURL,
		"www_authenticate_uri = "+authURL,
		"username = admin",
		"password = "+password,
		"project_name = admin",
		"user_domain_id = default",
		"project_domain_id = default",
		"service_type = volumev3") // for access rules of application credentials
}

func (s *Scheduler) startAPI(auth string, lines ...string) *API {
	s.t.Helper()
	port := strconv.Itoa(process.Ports(s.t, 1)[0])
	s.write("api.conf", []byte("[DEFAULT]\n"+
		"auth_strategy = "+auth+"\n"+
		"api_paste_config = /usr/share/cinder-common/api-paste.ini\n"+
		"osapi_volume_listen = 127.0.0.1\n"+
		"osapi_volume_listen_port = "+port+"\n"+
		"osapi_volume_workers = 1\n"+
		strings.Join(lines, "\n")+"\n"))
	p := process.Start(s.t, process.Command{
		Name: "cinder-api",
		Args: s.opts.Installation.python("-c", apiProgram, "--config-file", s.ConfigFile(), "--config-file", s.path("api.conf")),
		Dir:  s.dir,
	})
	process.Await(s.t, startBound, "cinder-api to listen", func() error {
		if !p.Running() {
			s.t.Fatalf("start cinder-api: it ended with code %d", p.ExitCode())
		}
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	})
	url := "http://127.0.0.1:" + port + "/v3"
	return &API{URL: url, s: s, endpoint: url + "/" + Project}
}

// Client runs the command cinder of python-cinderclient, without Keystone, and returns
// what it printed.
func (a *API) Client(args ...string) string {
	a.s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientBound)
	defer cancel()
	all := append([]string{"--user-id", "admin", "--project-id", Project, "--endpoint", a.endpoint}, args...)
	cmd := exec.CommandContext(ctx, "cinder", all...)
	cmd.Env = append(cmd.Environ(), "OS_AUTH_TYPE=noauth", "PYTHONWARNINGS=ignore")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		a.s.t.Fatalf("run cinder %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
