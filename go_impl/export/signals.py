"""Signals, which the two sides of a case send each other outside the RPC, in exported programs.

docs/manifest.md ("The export request") says how they travel: as names, one per line, over a connection from the server
to the client. The client names its address in the request's metadata.
"""

from collections.abc import Mapping
from typing import Any

from export.names import quoted

METADATA = "reproduction-signals"

TYPE = """
// signals is what the two sides tell each other outside the RPC: names, a line each, over a connection of their own.
type signals struct {
	changed *sync.Cond
	conn    net.Conn
	unsent  string
	arrived map[string]int
	over    bool
}

func newSignals() *signals {
	return &signals{changed: sync.NewCond(new(sync.Mutex)), arrived: map[string]int{}}
}
%s
func (s *signals) use(conn net.Conn) {
	s.changed.L.Lock()
	s.conn = conn
	_, _ = fmt.Fprint(conn, s.unsent)
	s.changed.L.Unlock()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		s.changed.L.Lock()
		s.arrived[lines.Text()]++
		s.changed.L.Unlock()
		s.changed.Broadcast()
	}
}

func (s *signals) tell(name string) {
	s.changed.L.Lock()
	defer s.changed.L.Unlock()
	if s.conn == nil {
		s.unsent += name + "\\n"
	} else {
		_, _ = fmt.Fprintln(s.conn, name) // whoever is gone hears nothing
	}
}

// waitFor takes a signal of that name, unless the RPC ends before it comes.
func (s *signals) waitFor(name string) {
	s.changed.L.Lock()
	defer s.changed.L.Unlock()
	for !s.over && s.arrived[name] == 0 {
		s.changed.Wait()
	}
	s.arrived[name]--
}

// end says that the RPC has ended.
func (s *signals) end() {
	s.changed.L.Lock()
	defer s.changed.L.Unlock()
	s.over = true
	s.changed.Broadcast()
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
"""

_LISTEN = """
// listen returns the address to which the server is to connect.
func (s *signals) listen() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if conn, err := listener.Accept(); err == nil {
			s.use(conn)
		}
		s.end() // grpc-go says so only to those who read, and whoever waits does not
	}()
	return listener.Addr().String()
}
"""

_CONNECT = f"""
// connect follows the address in the request's metadata.
func (s *signals) connect(ctx context.Context) {{
	md, _ := metadata.FromIncomingContext(ctx)
	conn, err := net.Dial("tcp", strings.Join(md["{METADATA}"], ""))
	if err != nil {{
		log.Fatal(err)
	}}
	go s.use(conn)
}}
"""

CLIENT, SERVER = TYPE % _LISTEN, TYPE % _CONNECT

BEGIN_CLIENT = [
    "signals := newSignals()",
    "context.AfterFunc(ctx, signals.end)",
    f'ctx = metadata.AppendToOutgoingContext(ctx, "{METADATA}", signals.listen())',
]
BEGIN_SERVER = ["signals := newSignals()", "context.AfterFunc(ctx, signals.end)", "signals.connect(ctx)"]


def has_signals(call: Mapping[str, Any]) -> bool:
    return any(step["step"] in ("signal", "wait_for") for lane in call["lanes"] for step in lane)


def signalled(step: Mapping[str, Any]) -> list[str]:
    """Return the line of a step that signals or waits for a signal."""
    return [f"signals.{'tell' if step['step'] == 'signal' else 'waitFor'}({quoted(step['name'])})"]
