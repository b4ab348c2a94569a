package play

// workers are goroutines that play one script after the other. A new goroutine has a small stack, which grows (and is
// copied) several times in the depths of the runtime: with one for each play that was a tenth of the driver's time.
type workers chan func()

// do has work done by a worker that has nothing to do, or else by a new one. There are as many as ever had work at the
// same time.
func (w workers) do(work func()) {
	select {
	case w <- work:
	default:
		go func() {
			for {
				work()
				work = <-w
			}
		}()
	}
}
