"""Runs WGSL programs on wgpu, one after the other: JSON from stdin, the contents of all buffers as JSON to stdout.

    {"features": [..], "buffers": [[float, ..] or length, ..],
     "programs": [{"code": .., "buffers": [index of the result, of each input ..], "uniforms": [int, ..], "workgroups": [x, y, z]}]}

`uniforms` are 32-bit words, as they lie in memory. The adapter is the first with all features.
"""
import json
import sys

import numpy as np
import wgpu

job = json.load(sys.stdin)
adapters = wgpu.gpu.enumerate_adapters_sync()
adapter = next((a for a in adapters if set(job["features"]) <= a.features), None)
if adapter is None:
    sys.exit(f"run_programs: no adapter has {job['features']}; there are {[a.info['device'] for a in adapters]}")
device = adapter.request_device_sync(required_features=job["features"])

STORAGE = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
buffers = []
for content in job["buffers"]:
    array = np.zeros(content, np.float32) if isinstance(content, int) else np.array(content, np.float32)
    buffers.append(device.create_buffer_with_data(data=array.tobytes(), usage=STORAGE))

for program in job["programs"]:
    module = device.create_shader_module(code=program["code"])
    pipeline = device.create_compute_pipeline(
        layout="auto", compute={"module": module, "entry_point": "_start"}
    )
    words = np.array(program["uniforms"], np.uint32)
    uniforms = device.create_buffer_with_data(data=words.tobytes(), usage=wgpu.BufferUsage.UNIFORM)
    bound = [buffers[index] for index in program["buffers"]] + [uniforms]
    group = device.create_bind_group(
        layout=pipeline.get_bind_group_layout(0),
        entries=[
            {"binding": i, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
            for i, buffer in enumerate(bound)
        ],
    )
    encoder = device.create_command_encoder()
    compute = encoder.begin_compute_pass()
    compute.set_pipeline(pipeline)
    compute.set_bind_group(0, group)
    compute.dispatch_workgroups(*program["workgroups"])
    compute.end()
    device.queue.submit([encoder.finish()])

read = [np.frombuffer(device.queue.read_buffer(buffer), np.float32).tolist() for buffer in buffers]
json.dump({"device": adapter.info["device"], "buffers": read}, sys.stdout)
