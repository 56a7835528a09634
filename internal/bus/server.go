package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// serve starts a NATS server that listens nowhere: only this process reaches it.
func serve(o Options, log *slog.Logger) (*server.Server, error) {
	if o.Dir == "" {
		return nil, errors.New("bus needs the address of a NATS server or a folder for its own")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of NATS in this process: %w", err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName: o.Name,
		DontListen: true,
		JetStream:  true,
		StoreDir:   o.Dir,
		// What a power cut may take from the chat log.
		SyncInterval: time.Second,
		NoSigs:       true,
		NoLog:        true,
	})
	if err != nil {
		return nil, fmt.Errorf("NATS in this process: %w", err)
	}
	s.SetLoggerV2(serverLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("NATS in this process is not ready after 10 s; is %s readable, and its disk free?", o.Dir)
	}
	return s, nil
}

func (b *Bus) stopServer() {
	if b.server == nil {
		return
	}
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// serverLog passes on what an operator can act on: warnings and errors of the server, such as a full disk.
type serverLog struct{ log *slog.Logger }

func (serverLog) Noticef(string, ...any) {}
func (serverLog) Debugf(string, ...any)  {}
func (serverLog) Tracef(string, ...any)  {}

func (l serverLog) Warnf(format string, v ...any) {
	l.log.Warn("NATS warns", "text", fmt.Sprintf(format, v...))
}

func (l serverLog) Errorf(format string, v ...any) {
	l.log.Error("NATS reports an error", "text", fmt.Sprintf(format, v...))
}

func (l serverLog) Fatalf(format string, v ...any) {
	l.log.Error("NATS stops", "text", fmt.Sprintf(format, v...))
}
