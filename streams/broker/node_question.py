"""Ask one Kafka node whether it serves: on one connection, with a time limit, of that node and no other.

An ordinary client would ask whichever node it likes best, and so would answer for a paused node by way of its
neighbour. A connection that is accepted proves little: the kernel accepts for a paused process, and another program
may have the port by now. So the node is asked for the name of its cluster and whom it counts in.
"""

import socket

#: A node that serves answers in milliseconds; one that takes a second is paused or still coming up.
PATIENCE_SECONDS = 1.0
#: The first version of this request that tells which nodes are shut out; Apache Kafka knows it since 4.0.
DESCRIBE_CLUSTER_VERSION = 2


def serves(host: str, port: int, *, cluster_id: str, node: int) -> bool:
    """True if this node of this cluster answers, and the controller has let it in."""
    # Here, because loading the protocol takes a third of a second that the mere import of this room should not cost.
    from kafka.protocol.admin import DescribeClusterRequest, DescribeClusterResponse

    request = DescribeClusterRequest(version=DESCRIBE_CLUSTER_VERSION, include_fenced_brokers=True)
    request.with_header(correlation_id=1, client_id="myelowatch-broker")
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(request.encode(header=True, framed=True))
            size = int.from_bytes(_read(connection, 4), "big")
            answer = DescribeClusterResponse.decode(
                _read(connection, size), version=DESCRIBE_CLUSTER_VERSION, header=True
            )
    except OSError:
        return False
    let_in = {broker.broker_id for broker in answer.brokers if not broker.is_fenced}
    return bool(answer.cluster_id == cluster_id and node in let_in)


def _read(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes; an end of the stream before that is the node going away."""
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(65_536, size - len(parts)))
        if not part:
            raise ConnectionError("the node closed the connection")
        parts += part
    return bytes(parts)
