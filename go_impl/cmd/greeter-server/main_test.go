package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
)

// asMain makes the test binary the program itself.
const asMain = "GREETER_SERVER_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A port that is in use is reported in one line, with a remedy.
func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	program := exec.Command(os.Args[0], "--port", fmt.Sprint(port))
	program.Env = append(os.Environ(), asMain+"=1")
	var stderr bytes.Buffer
	program.Stderr = &stderr
	_ = program.Run() // its exit status is checked below

	if status := program.ProcessState.ExitCode(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	want := fmt.Sprintf("error: cannot listen on 127.0.0.1:%d: address already in use; choose another port with --port\n", port)
	if stderr.String() != want {
		t.Errorf("said %q, want %q", stderr.String(), want)
	}
}
