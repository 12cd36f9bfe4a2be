// Walking through a page or a figure that was read back as XML.
#pragma once
#include <boost/property_tree/ptree.hpp>
#include <functional>
#include <string>

namespace skewgrad_tests {

/// Every element of a tree, its ancestors first.
inline void each(const boost::property_tree::ptree& tree,
                 const std::function<void(const std::string&, const boost::property_tree::ptree&)>& visit) {
    for (const auto& [name, child] : tree) {
        visit(name, child);
        each(child, visit);
    }
}
inline std::string attribute(const boost::property_tree::ptree& element, const std::string& name) {
    return element.get<std::string>("<xmlattr>." + name, "");
}

}  // namespace skewgrad_tests
