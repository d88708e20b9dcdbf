#include "http/socket_owner.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/file.h"

namespace slipway::http {
namespace {

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

/// Fills one end of the question; false when the address is neither IPv4 nor IPv6.
bool put_address(const std::string& address, __be32* words, int& family) {
  if (::inet_pton(AF_INET, address.c_str(), words) == 1) {
    family = AF_INET;
    return true;
  }
  if (::inet_pton(AF_INET6, address.c_str(), words) == 1) {
    family = AF_INET6;
    return true;
  }
  return false;
}

}  // namespace

std::optional<unsigned> owner_of_socket(const std::string& address, std::uint16_t port, const std::string& our_address,
                                        std::uint16_t our_port) {
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return std::nullopt;
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  int family = 0, our_family = 0;
  if (!put_address(address, question.request.id.idiag_src, family) ||
      !put_address(our_address, question.request.id.idiag_dst, our_family) || family != our_family) {
    return std::nullopt;
  }
  question.request.sdiag_family = static_cast<__u8>(family);
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0u;
  question.request.id.idiag_sport = htons(port);
  question.request.id.idiag_dport = htons(our_port);
  question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(netlink.get(), &question, sizeof question, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) !=
      sizeof question)
    return std::nullopt;

  alignas(nlmsghdr) char answer[8192];
  const ssize_t n = ::recv(netlink.get(), answer, sizeof answer, 0);
  if (n < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(inet_diag_msg))) return std::nullopt;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  if (found->id.idiag_sport != htons(port) || found->id.idiag_dport != htons(our_port)) return std::nullopt;
  return found->idiag_uid;
}

}  // namespace slipway::http
