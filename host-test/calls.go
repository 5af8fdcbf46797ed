package hosttest

import "time"

// calls answers a VM's host calls. It runs under the worker's lock, inside a callback.
type calls struct{ vm *VM }

// context is the one that calls act on: the effective one if it is set and alive.
func (c *calls) context() *vmContext {
	if id := c.vm.effective; id != 0 {
		if ctx := c.vm.contexts[id]; ctx != nil {
			return ctx
		}
	}
	return c.vm.current
}

// refused says whether a call must not do its work: injected faults, calls that the profile lacks,
// calls from _initialize or from outside of any callback.
func (c *calls) refused(name string) (Status, bool) {
	if s, hit := c.vm.host.faults.refuse(name); hit {
		return s, true
	}
	if c.vm.starting {
		// V8 kills a VM that calls more than logging in _initialize (cpp-host: restricted
		// callbacks).
		c.vm.err = &RestrictedCallError{Call: name}
		return StatusInternalFailure, true
	}
	if c.vm.current == nil {
		return StatusInternalFailure, true
	}
	if s, ok := c.vm.first.rules.calls[name]; ok {
		return s, true
	}
	return StatusOK, false
}

// RestrictedCallError is a host call from _initialize.
type RestrictedCallError struct{ Call string }

// Error names the call.
func (e *RestrictedCallError) Error() string {
	return "proxy_" + e.Call + " called during initialization"
}

func (c *calls) Log(level LogLevel, message string) Status {
	if s, hit := c.vm.host.faults.refuse("log"); hit {
		return s
	}
	if level > LogCritical {
		return StatusBadArgument
	}
	if !c.vm.worker.crashed || !c.vm.first.rules.diesAtOnce {
		c.vm.host.log(level, c.vm, c.vm.current, message)
	}
	return StatusOK
}

func (c *calls) LogLevel() (LogLevel, Status) {
	if s, no := c.refused("get_log_level"); no {
		return 0, s
	}
	return c.vm.host.cfg.LogLevel, StatusOK
}

func (c *calls) Now() (int64, Status) {
	if s, no := c.refused("get_current_time_nanoseconds"); no {
		return 0, s
	}
	return c.vm.host.clock.Now().UnixNano(), StatusOK
}

func (c *calls) Clock() int64 { return c.vm.host.clock.Now().UnixNano() }

func (c *calls) Env(name string) (string, bool) {
	v, ok := c.vm.first.Env[name]
	return v, ok
}

func (c *calls) SetEffectiveContext(id uint32) Status {
	if s, no := c.refused("set_effective_context"); no {
		return s
	}
	if _, ok := c.vm.contexts[id]; !ok {
		return StatusBadArgument
	}
	c.vm.effective = id
	return StatusOK
}

// Done completes an on_done of a root context that answered false. Roots live as long as their
// host here, so that there is never one to complete.
func (c *calls) Done() Status {
	if s, no := c.refused("done"); no {
		return s
	}
	return StatusNotFound
}

func (c *calls) SetTickPeriod(ms uint32) Status {
	if s, no := c.refused("set_tick_period_milliseconds"); no {
		return s
	}
	c.context().root.setPeriod(time.Duration(ms) * time.Millisecond)
	return StatusOK
}

func (c *vmContext) setPeriod(d time.Duration) {
	c.stopTicker()
	c.period = d
	if d > 0 && !c.plugin.rules.noTick {
		c.armTicker()
	}
}

func (c *vmContext) armTicker() {
	c.ticker = c.vm.worker.after(c.period, func() {
		if c.ticker == nil || c.failed() {
			return
		}
		c.armTicker()
		c.tick()
	})
}

func (c *vmContext) tick() {
	if !c.failed() && !c.plugin.rules.noTick {
		c.invoke(CallbackTick, Args{})
		c.vm.leave()
	}
}

func (c *vmContext) stopTicker() {
	if c.ticker != nil {
		c.ticker.Stop()
		c.ticker = nil
	}
}

func (c *calls) SharedData(key string) ([]byte, uint32, Status) {
	if s, no := c.refused("get_shared_data"); no {
		return nil, 0, s
	}
	return c.vm.host.shared.get(c.vm.id, key)
}

func (c *calls) SetSharedData(key string, value []byte, cas uint32) Status {
	if s, no := c.refused("set_shared_data"); no {
		return s
	}
	return c.vm.host.shared.set(c.vm.id, key, value, cas)
}

func (c *calls) RegisterQueue(name string) (uint32, Status) {
	if s, no := c.refused("register_shared_queue"); no {
		return 0, s
	}
	return c.vm.host.queues.register(c.vm, c.context().root.id, name), StatusOK
}

func (c *calls) ResolveQueue(vmID, name string) (uint32, Status) {
	if s, no := c.refused("resolve_shared_queue"); no {
		return 0, s
	}
	if vmID == "" {
		vmID = c.vm.id
	}
	return c.vm.host.queues.resolve(vmID, name)
}

func (c *calls) Enqueue(token uint32, data []byte) Status {
	if s, no := c.refused("enqueue_shared_queue"); no {
		return s
	}
	return c.vm.host.queues.enqueue(token, data)
}

func (c *calls) Dequeue(token uint32) ([]byte, Status) {
	if s, no := c.refused("dequeue_shared_queue"); no {
		return nil, s
	}
	return c.vm.host.queues.dequeue(token)
}

func (c *calls) DefineMetric(t MetricType, name string) (uint32, Status) {
	if s, no := c.refused("define_metric"); no {
		return 0, s
	}
	if t > Histogram {
		return 0, StatusBadArgument
	}
	return c.vm.defineMetric(t, name), StatusOK
}

func (c *calls) IncrementMetric(id uint32, offset int64) Status {
	if s, no := c.refused("increment_metric"); no {
		return s
	}
	return c.vm.increment(id, offset)
}

func (c *calls) RecordMetric(id uint32, value uint64) Status {
	if s, no := c.refused("record_metric"); no {
		return s
	}
	return c.vm.recordMetric(id, value)
}

func (c *calls) Metric(id uint32) (uint64, Status) {
	if s, no := c.refused("get_metric"); no {
		return 0, s
	}
	return c.vm.metricValue(id)
}
